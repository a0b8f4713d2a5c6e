import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLogger } from '@tillit/http'
import { openKeyStore } from '@tillit/key-store'
import { parseTrustPolicy } from '@tillit/log'
import { buildPortal } from '@tillit/service-portal'
import { readConfig } from './config.ts'
import { constructCity } from './construct.ts'
import { Teardown } from './teardown.ts'

/** The OpenAPI 3.1 description of a city with the default configuration, as text. Nothing is started. */
export async function describeApi(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tillit-api-'))
  const teardown = new Teardown()
  try {
    const { app } = await constructCity({
      config: readConfig({}),
      keys: await openKeyStore({ folder, passphrase: folder, now: () => new Date() }),
      databaseUrlOf: () => 'postgresql://nobody@127.0.0.1:1/never-asked',
      ledger: { open: { absent: 'not needed to describe the API' }, publicRpcUrl: null },
      openWitnessing: async () => ({ policy: parseTrustPolicy('quorum none\n'), peers: new Map(), own: new Set() }),
      pageFolder: (await buildPortal()).folder,
      logger: createLogger('silent'),
      now: () => new Date(),
      teardown,
    })
    teardown.add(() => app.close())
    await app.ready()
    return `${JSON.stringify(app.swagger(), null, 2)}\n`
  } finally {
    await teardown.run()
    await rm(folder, { recursive: true, force: true })
  }
}

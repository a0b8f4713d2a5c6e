import { randomBytes, randomUUID } from 'node:crypto'
import { connect, listen, outboxChannel, problemOfDatabaseError } from '@tillit/database'
import { createLogger, createServer } from '@tillit/http'
import { signerFromSeed } from '@tillit/keys'
import { parseTrustPolicy } from '@tillit/log'
import { createRegistry, type RegistryTables } from '@tillit/service-registry'
import type { BenchDatabase } from './bench-database.ts'
import { didHost } from './did-host.ts'

export interface RegistryCity {
  port: number
  close(): Promise<void>
}

/** As many as the pool of the city has for this service. */
const maxConnections = 8

/**
 * The registry as it runs in a city, behind the same HTTP layer, sequencing and signing in the background as there. It has no witnesses
 * and no ledger: both come after an entry is in the tree, and nothing waits for them.
 */
export async function openRegistryCity({ url }: BenchDatabase): Promise<RegistryCity> {
  const database = connect<RegistryTables>({
    ...{ url, schema: 'registry', maxConnections },
    onError: () => undefined,
  })
  const now = () => new Date()
  const registry = createRegistry({
    ...{ database, now, didHost, fetchText: null, logOrigin: `${didHost}/log` },
    randomBytes: (length) => new Uint8Array(randomBytes(length)),
    logSigners: [await signerFromSeed(new Uint8Array(32).fill(1))],
    witnessing: { policy: parseTrustPolicy('quorum none\n'), peers: new Map(), own: new Set() },
    didWitnessSigner: await signerFromSeed(new Uint8Array(32).fill(2)),
    ledger: { absent: 'a bench has no ledger' },
    publicRpcUrl: null,
    anchorIntervalSeconds: 60,
    listenOutbox: (onNotify) => listen(url, outboxChannel, onNotify),
    logger: createLogger('warn'),
  })
  const publicUrl = `https://${didHost}`
  const app = await createServer({
    logger: createLogger('warn'),
    publicUrl,
    authentication: { issuer: `${publicUrl}/oauth`, audience: publicUrl, jwks: () => ({ keys: [] }), now },
    problemOf: problemOfDatabaseError,
    readiness: [],
    newRequestId: randomUUID,
  })
  await app.register(registry.routes)
  const address = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  registry.start()
  return {
    port: Number(address.port),
    close: async () => {
      await app.close()
      await registry.stop()
      await database.destroy()
    },
  }
}

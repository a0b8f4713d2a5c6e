import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { verifyCredential } from '@tillit/client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { seedCity } from '../services/standalone/src/demonstration/seed.ts'
import { openStage, type Stage } from './journeys/stage.ts'

let stage: Stage
let folder: string
beforeAll(async () => {
  stage = await openStage()
  await seedCity(stage.city, { dataDir: stage.config.dataDir, onEvent: () => undefined })
  folder = await mkdtemp(join(tmpdir(), 'tillit-curl-'))
}, 300_000)
afterAll(async () => {
  await stage.close()
  await rm(folder, { recursive: true, force: true })
})

test('the commands of the README receive a credential that anybody can verify', async () => {
  const readme = await readFile('README.md', 'utf8')
  const [, commands = ''] = /## Receive a credential with curl\n.*?```sh\n(.*?)```/s.exec(readme) ?? []
  const script = commands.replace('CITY=http://127.0.0.1:8080', `CITY=${stage.city.url}`)
  expect(script).not.toBe(commands)
  const { stdout, stderr } = await promisify(execFile)('sh', ['-c', `set -eu\n${script}`], { cwd: folder })
  expect(stderr).toBe('')
  const { credentials } = JSON.parse(stdout)
  expect(credentials).toHaveLength(1)
  expect(await verifyCredential(stage.anyone, credentials[0].credential, stage.trust())).toMatchObject({
    type: 'MeteringPointEntitlement',
    issuer: stage.city.utility.did,
    status: 'valid',
  })
})

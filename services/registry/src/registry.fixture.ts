import { randomBytes } from 'node:crypto'
import { listen, outboxChannel, problemOfDatabaseError, type TestDatabase, testDatabase } from '@tillit/database'
import { type CreateDidOptions, createDid } from '@tillit/did'
import { createLogger, createServer, createTestIssuer } from '@tillit/http'
import { type Signer, signerFromSeed } from '@tillit/keys'
import { parseTrustPolicy } from '@tillit/log'
import { vi } from 'vitest'
import { createRegistry, type RegistryPorts, type RegistryTables } from './index.ts'

const publicUrl = 'http://localhost:8080'
const didHost = 'localhost:8080'

/** A registry over a real database and real routes, its background work not started. */
export async function testRegistry(database: TestDatabase, ports: Partial<RegistryPorts> = {}) {
  const { logger } = recordingLogger()
  const registry = createRegistry({
    database: database.connect<RegistryTables>('registry'),
    now: () => new Date(),
    randomBytes: (length) => new Uint8Array(randomBytes(length)),
    didHost,
    fetchText: null,
    logOrigin: 'localhost:8080/log',
    logSigners: [await signerFromSeed(new Uint8Array(32).fill(1))],
    witnessing: { policy: parseTrustPolicy('quorum none\n'), peers: new Map(), own: new Set() },
    didWitnessSigner: await signerFromSeed(new Uint8Array(32).fill(3)),
    ledger: { absent: 'this test has no ledger' },
    publicRpcUrl: null,
    anchorIntervalSeconds: 10,
    listenOutbox: (onNotify) => listen(database.url, outboxChannel, onNotify),
    logger,
    ...ports,
  })
  const issuer = await createTestIssuer(publicUrl, () => new Date())
  const app = await createServer({
    logger: createLogger('silent'),
    publicUrl,
    authentication: { issuer: issuer.issuer, audience: publicUrl, jwks: issuer.jwks, now: () => new Date() },
    problemOf: problemOfDatabaseError,
    readiness: [],
    newRequestId: () => 'test',
  })
  await app.register(registry.routes)
  await app.ready()
  const get = (url: string, headers: Record<string, string> = {}) => app.inject({ method: 'GET', url, headers })
  const post = (url: string, payload: object) => app.inject({ method: 'POST', url, payload })
  return { registry, app, issuer, get, post }
}

export type OwnRegistry = Awaited<ReturnType<typeof ownRegistry>>

/** A registry on a database of its own. */
export async function ownRegistry(ports: Partial<RegistryPorts> = {}) {
  const database = await testDatabase()
  const city = await testRegistry(database, ports)
  const close = async () => {
    await city.registry.stop()
    await city.app.close()
    await database.drop()
  }
  return { ...city, database, close }
}

let lastSeed = 0
let lastName = 0
export function newSigner(): Promise<Signer> {
  const seed = new Uint8Array(32).fill(2)
  new DataView(seed.buffer).setUint32(0, ++lastSeed)
  return signerFromSeed(seed)
}

/** A fresh DID of this host with its first entry; the second before now, so that entries can follow at once. */
export async function newDid(
  options: { now?: Date; nextKeys?: Signer[]; host?: string; path?: string[] } & Pick<
    CreateDidOptions,
    'witness' | 'portable' | 'services'
  > = {},
) {
  const slug = `test-${++lastName}`
  const signer = await newSigner()
  const created = await createDid({
    ...options,
    host: options.host ?? didHost,
    path: options.path ?? ['dids', slug],
    signer,
    now: options.now ?? new Date(Date.now() - 60_000),
    nextKeys: (options.nextKeys ?? []).map((next) => next.publicKey),
  })
  return { ...created, signer }
}

export function recordingLogger() {
  const lines: { level: string; message: string }[] = []
  const record = (level: string) => (_details: object, message: string) => void lines.push({ level, message })
  return { lines, logger: { info: record('info'), warn: record('warn'), error: record('error') } }
}

/** Waits for what comes about by itself, without sleeping longer than it takes. */
export function eventually<T>(check: () => Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 20_000, interval: 50 })
}

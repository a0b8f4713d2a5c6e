import { randomBytes, randomUUID } from 'node:crypto'
import { createServer as createTcpServer } from 'node:net'
import { encodeId, idBytes } from '@tillit/codec'
import { type TestDatabase, testDatabase } from '@tillit/database'
import { callerOf, createServer, type TillitServer } from '@tillit/http'
import { generatePrivateJwk, type PrivateJwk } from '@tillit/keys'
import type { DidResolutionResult } from '@tillit/schemas'
import fastify from 'fastify'
import { type Authorization, type AuthorizationPorts, createAuthorization } from '../src/index.ts'
import type { AuthorizationTables } from '../src/store.ts'
import { resolveDidKey } from './did-client.ts'
import { enlist, standInViews } from './stand-in-views.ts'

export interface TestServer {
  /** Where it listens, which is the public URL unless that was changed. */
  address: string
  publicUrl: string
  issuer: string
  authorization: Authorization
  app: TillitServer
  database: TestDatabase
  portalKey: PrivateJwk
  /** Answers that override the resolution of did:key. */
  resolutions: Map<string, (options?: { readonly fresh?: boolean }) => Promise<DidResolutionResult>>
  logged: string[]
  enlist(kind: 'party' | 'device', did: string, status: string): Promise<void>
  stop(): Promise<void>
}

export const personas = ['anna', 'bo'].map((key) => ({
  key,
  name: `${key} <of> "Test"`,
  customerId: encodeId('cust', randomBytes(idBytes)),
  description: 'holds a metering point',
}))

/** The authorization service in a real server on a free port, over a database of its own. */
export async function startServer(changes: Partial<AuthorizationPorts> = {}): Promise<TestServer> {
  const database = await testDatabase()
  await standInViews(database.url)
  const port = await freePort()
  const address = `http://127.0.0.1:${port}`
  const publicUrl = changes.publicUrl ?? address
  const portalKey = await generatePrivateJwk()
  const { d: _, ...portalPublicKey } = portalKey
  const resolutions: TestServer['resolutions'] = new Map()
  const logged: string[] = []
  const logger = fastify({ logger: { level: 'info', stream: { write: (line) => void logged.push(line) } } }).log
  const ports: AuthorizationPorts = {
    db: database.connect<AuthorizationTables>('authorization'),
    publicUrl,
    environment: 'development',
    personas,
    tokenSigningJwks: { keys: [await generatePrivateJwk()] },
    portalClient: {
      clientId: 'portal',
      redirectUris: [`${publicUrl}/portal/callback`],
      postLogoutRedirectUris: [`${publicUrl}/`],
      jwks: { keys: [{ ...(portalPublicKey as { kty: 'OKP'; crv: 'Ed25519'; x: string }), kid: 'portal-1' }] },
    },
    cookieKeys: [randomBytes(32).toString('base64url')],
    resolveDid: async (did, options) => resolutions.get(did)?.(options) ?? resolveDidKey(did),
    now: () => new Date(),
    logger,
    ...changes,
  }
  const authorization = createAuthorization(ports)
  const app = await createServer({
    logger,
    publicUrl,
    authentication: { issuer: `${publicUrl}/oauth`, audience: publicUrl, jwks: authorization.jwks, now: ports.now },
    problemOf: () => null,
    readiness: [],
    newRequestId: randomUUID,
  })
  await app.register(authorization.routes)
  app.get('/whoami', { config: { callers: ['customer', 'organisation', 'device'] } }, async (request) =>
    callerOf(request),
  )
  await app.listen({ port, host: '127.0.0.1' })
  authorization.start()
  return {
    ...{
      address,
      publicUrl,
      issuer: `${publicUrl}/oauth`,
      authorization,
      app,
      database,
      portalKey,
      resolutions,
      logged,
    },
    enlist: (kind, did, status) => enlist(database.url, kind, did, status),
    async stop() {
      await app.close()
      await authorization.stop()
      await database.drop()
    },
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createTcpServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() =>
        typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port')),
      )
    })
  })
}

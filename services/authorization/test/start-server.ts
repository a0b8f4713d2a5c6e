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
import { addOffer, enlist, standInViews, type TestOffer, withdrawOffer } from './stand-in-views.ts'

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
  /** What the issuer could issue, by holder and configuration with a space between. */
  identifiers: Map<string, string[]>
  logged: string[]
  enlist(kind: 'party' | 'device', did: string, status: string): Promise<void>
  addOffer(offer: TestOffer): Promise<void>
  withdrawOffer(id: string): Promise<void>
  stop(): Promise<void>
}

export const personas = ['anna', 'bo'].map((key) => ({
  key,
  name: `${key} <of> "Test"`,
  customerId: encodeId('cust', randomBytes(idBytes)),
  description: 'holds a metering point',
}))

export const credentialConfigurations = (
  ['MeteringPointEntitlement', 'RepresentationCredential', 'OrganisationCredential', 'MeterDeviceCredential'] as const
).map((type) => ({ id: type, type }))

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
  const identifiers: TestServer['identifiers'] = new Map()
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
    wallets: [],
    credentialConfigurations,
    credentialIdentifiers: async ({ id }, configurationId, offerId) =>
      identifiers.get(`${offerId} ${configurationId}`) ?? identifiers.get(`${id} ${configurationId}`) ?? [],
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
  app.post(
    '/receive',
    { config: { callers: ['customer', 'organisation', 'device'], credentialTokens: true } },
    async (request) => callerOf(request),
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
      identifiers,
      logged,
    },
    enlist: (kind, did, status) => enlist(database.url, kind, did, status),
    addOffer: (offer) => addOffer(database.url, offer),
    withdrawOffer: (id) => withdrawOffer(database.url, id),
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

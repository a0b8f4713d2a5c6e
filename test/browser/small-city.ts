import { randomBytes } from 'node:crypto'
import { testDatabase } from '@tillit/database'
import { callerOf, createLogger, createServer, type TillitServer } from '@tillit/http'
import { generatePrivateJwk, type Signer, signerFromJwk, toPublicJwk } from '@tillit/keys'
import { formatVerifierKey, verifierKey } from '@tillit/log'
import { type AuthorizationTables, createAuthorization } from '@tillit/service-authorization'
import { buildPortal, createPortal, type PortalTables, portalRedirects } from '@tillit/service-portal'
import { createSessions, type Sessions } from '../../services/portal/src/sessions.ts'
import { createStore } from '../../services/portal/src/store.ts'
import { freePort } from '../journeys/free-port.ts'

export const persona = {
  key: 'kari',
  name: 'Kari Nordmann',
  customerId: 'cust_AAAAAAAAAAAAAAAAAAAAAA',
  description: 'lives alone',
}

export interface SmallCity {
  url: string
  /** The portal's sessions, opened with a secret that only a cookie holds. */
  sessions: Sessions
  close(): Promise<void>
}

/** Only what signing in needs: the authorization server, the portal, and what `extend` adds. */
export async function startSmallCity(
  extend: (app: TillitServer, logSigner: Signer) => void = () => undefined,
): Promise<SmallCity> {
  const { folder } = await buildPortal()
  const database = await testDatabase()
  const url = `http://127.0.0.1:${await freePort()}`
  const logger = createLogger('warn')
  const now = () => new Date()
  const clientSigner = await signerFromJwk(await generatePrivateJwk())
  const authorization = createAuthorization({
    db: database.connect<AuthorizationTables>('authorization'),
    ...{ publicUrl: url, environment: 'development', personas: [persona], cookieKeys: ['k'.repeat(32)], now, logger },
    ...{ wallets: [], credentialConfigurations: [], credentialIdentifiers: async () => [] },
    tokenSigningJwks: { keys: [await generatePrivateJwk()] },
    portalClient: {
      clientId: 'portal',
      ...portalRedirects(url),
      jwks: { keys: [{ ...toPublicJwk(clientSigner.publicKey), kid: 'portal-1' }] },
    },
    resolveDid: async () => ({
      ...{ didDocument: null, didDocumentMetadata: {}, didResolutionMetadata: { error: 'notFound' } },
    }),
  })
  const portal = createPortal({
    database: database.connect<PortalTables>('portal'),
    ...{ publicUrl: url, internalUrl: url, clientId: 'portal', clientSigner, keyId: 'portal-1' },
    ...{ now, randomBytes, logger, pageFolder: folder },
  })
  const app = await createServer({
    ...{ logger, publicUrl: url, problemOf: () => null, readiness: [], newRequestId: () => 'request' },
    authentication: { issuer: `${url}/oauth`, audience: url, jwks: authorization.jwks, now },
  })
  await app.register(authorization.routes)
  await app.register(portal.routes)
  const log = await signerFromJwk(await generatePrivateJwk())
  app.get('/authority', async () => ({
    ...{ did: 'did:web:city.example', registrar: 'did:web:registrar.example', environment: 'development' },
    log: {
      origin: 'city.example/log',
      vkey: formatVerifierKey(verifierKey('city.example/log', log.publicKey)),
    },
  }))
  app.post('/permissions/echo', { config: { callers: ['customer'] } }, async (request) => ({
    ...{ caller: callerOf(request), query: request.query, body: request.body },
    headers: Object.keys(request.headers).sort(),
  }))
  extend(app, log)
  const { port } = new URL(url)
  await app.listen({ host: '127.0.0.1', port: Number(port) })
  return {
    url,
    sessions: createSessions(createStore(database.connect<PortalTables>('portal')), { now, randomBytes }),
    close: async () => {
      await app.close()
      await Promise.all([portal.stop(), authorization.stop()])
      await database.drop()
    },
  }
}

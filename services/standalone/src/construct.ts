import { randomBytes, randomUUID } from 'node:crypto'
import { utf8 } from '@tillit/codec'
import {
  connect,
  type Database,
  listen,
  outboxChannel,
  problemOfDatabaseError,
  type ServiceSchema,
} from '@tillit/database'
import { createForeignHosts, createServer, type TillitServer } from '@tillit/http'
import type { KeyStore } from '@tillit/key-store'
import { type Signer, signJws, thumbprint, toPublicJwk } from '@tillit/keys'
import { type AuthorizationTables, createAuthorization, type Persona } from '@tillit/service-authorization'
import {
  type Credentials,
  type CredentialsTables,
  createCredentials,
  credentialConfigurations,
  newRequestKey,
  openRequestDecryption,
} from '@tillit/service-credentials'
import { createMetering, type MeteringTables } from '@tillit/service-metering'
import { createPermissions, type PermissionsTables } from '@tillit/service-permissions'
import { createPortal, type PortalTables, portalRedirects } from '@tillit/service-portal'
import { createRegistry, type RegistryPorts, type RegistryTables } from '@tillit/service-registry'
import { createVerifier, type VerifierTables } from '@tillit/service-verifier'
import type { FastifyBaseLogger } from 'fastify'
import { sql } from 'kysely'
import { authorityRoutes } from './authority-routes.ts'
import type { Config } from './config.ts'
import { type Identity, openCityIdentity } from './identities.ts'
import { openKeyAttesters } from './open-key-attesters.ts'
import { openVerifierCertificate } from './open-verifier-certificate.ts'
import { personas } from './personas.ts'
import { readWallets } from './read-wallets.ts'
import type { CityLedger } from './start-ledger.ts'
import type { Teardown } from './teardown.ts'

export interface Foundations {
  config: Config
  keys: KeyStore
  databaseUrlOf: (schema: ServiceSchema) => string
  ledger: Pick<CityLedger, 'open' | 'publicRpcUrl' | 'embedded'>
  /** Opens the way to the witnesses of the log. */
  openWitnessing: (log: { origin: string; signers: readonly Signer[] }) => Promise<RegistryPorts['witnessing']>
  /** The built page of the portal. */
  pageFolder: string
  logger: FastifyBaseLogger
  now: () => Date
  /** Told how to end what was constructed. */
  teardown: Teardown
}

export interface ConstructedCity {
  app: TillitServer
  /** In the order in which they start. */
  services: { start(): unknown; stop(): Promise<void> }[]
  credentials: Credentials
  registrar: Identity
  authority: Identity
  utility: Identity
  personas: readonly Persona[]
  /** No witness but the operator's own has to cosign the log. */
  selfWitnessed: boolean
  /** From now on /health/ready may say so. */
  markOpen(): void
}

/** How the city's own processes reach it, whatever stands in front of it. */
export function internalUrlOf({ host, port }: Config): string {
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host
  return `http://${name}:${port}`
}

/** Constructs every service and hands each what it needs. Nothing is started and nothing is asked of database or ledger. */
export async function constructCity({
  config,
  keys,
  databaseUrlOf,
  ledger,
  openWitnessing,
  pageFolder,
  logger,
  now,
  teardown,
}: Foundations): Promise<ConstructedCity> {
  const pool = <Tables>(schema: ServiceSchema, maxConnections = 8): Database<Tables> => {
    let closing = false
    const db = connect<Tables>({
      url: databaseUrlOf(schema),
      schema,
      maxConnections,
      onError: (error) => {
        // The pool ends before its last connections have; PostgreSQL may cut those while it stops too.
        if (!closing) logger.warn({ err: error }, 'a database connection was lost')
      },
    })
    teardown.add(() => {
      closing = true
      return db.destroy()
    })
    return db
  }
  const random = (length: number) => new Uint8Array(randomBytes(length))
  const { publicUrl } = config
  const openOwn = (name: string, slug: string) =>
    openCityIdentity(keys, name, { host: config.didHost, slug, now: now(), exportable: config.demonstration })
  const registrar = await openOwn('registrar', 'registrar')
  const authority = await openOwn('authority', 'tillit')
  const logSigners = await keys.signers('log')
  const logOrigin = await keys.secret('log-origin', () => `${config.didHost}/log`)

  const registryDatabase = pool<RegistryTables>('registry')
  const registry = createRegistry({
    database: registryDatabase,
    now,
    randomBytes: random,
    didHost: config.didHost,
    ...createForeignHosts(config.didForeignHosts),
    logOrigin,
    logSigners,
    witnessing: await openWitnessing({ origin: logOrigin, signers: logSigners }),
    didWitnessSigner: await keys.signer('did-witness'),
    ledger: ledger.open,
    publicRpcUrl: ledger.publicRpcUrl,
    ledgerEmbedded: ledger.embedded === true,
    anchorIntervalSeconds: config.anchorIntervalSeconds,
    listenOutbox: (onNotify) => listen(databaseUrlOf('registry'), outboxChannel, onNotify),
    logger,
  })
  const { resolveDid } = registry
  const utility = await openOwn('utility', 'utility')
  const hostedKeys = async (did: string) =>
    [registrar, authority, utility].find((identity) => identity.did === did) ?? null
  const credentials = createCredentials({
    db: pool<CredentialsTables>('credentials'),
    now,
    randomBytes: random,
    resolveDid,
    issuers: hostedKeys,
    publicUrl,
    authorityDid: authority.did,
    openid4vci: {
      offerSecret: utf8(await keys.secret('credential-offers', () => randomBytes(32).toString('base64url'))),
      requestDecryption: await openRequestDecryption(await keys.secret('credential-requests', newRequestKey)),
      keyAttesters: await openKeyAttesters(config.keyAttestersFile),
      factsOf: (type, holder) => permissions.receiptFacts(type, holder),
    },
    vcApiIssuers: config.vcApiIssuers,
    onError: (error) => logger.error({ err: error }, 'a task of the credentials service failed'),
  })
  const { issueCredential } = credentials
  const portalSigner = await keys.signer('portal')
  const portalKeys = (await keys.signers('portal')).map(({ publicKey }) => publicKey)
  const cityPersonas = config.demonstration ? await personas(keys, random) : []
  const authorization = createAuthorization({
    db: pool<AuthorizationTables>('authorization'),
    publicUrl,
    environment: config.environment,
    personas: cityPersonas,
    tokenSigningJwks: { keys: [...(await keys.privateJwks('tokens'))] },
    portalClient: {
      clientId: 'portal',
      ...portalRedirects(publicUrl),
      jwks: { keys: portalKeys.map((key) => ({ ...toPublicJwk(key), kid: thumbprint(key) })) },
    },
    wallets: await readWallets(config.walletsFile),
    credentialConfigurations,
    credentialIdentifiers: credentials.credentialIdentifiers,
    cookieKeys: [await keys.secret('cookies', () => randomBytes(32).toString('base64url'))],
    resolveDid,
    now,
    logger,
  })
  const permissions = createPermissions({
    db: pool<PermissionsTables>('permissions', 16),
    now,
    randomBytes: random,
    resolveDid,
    issueCredential,
    authorityDid: authority.did,
    signAsAuthority: (typ, claims) => signJws({ typ, kid: authority.keyId }, claims, authority.signer),
    publicUrl,
    logger,
  })
  const metering = createMetering({
    db: pool<MeteringTables>('metering', 24),
    now,
    randomBytes: random,
    resolveDid,
    issueCredential,
  })
  const verifier = createVerifier({
    db: pool<VerifierTables>('verifier'),
    now,
    randomBytes: random,
    publicUrl,
    hostedKeys,
    authorityDid: authority.did,
    certificate: await openVerifierCertificate(config.verifierCertificateFile, now()),
    readParty: credentials.readParty,
    verification: credentials.verification,
    onError: (error) => logger.error({ err: error }, 'a task of the verifier service failed'),
  })
  const portal = createPortal({
    database: pool<PortalTables>('portal', 4),
    publicUrl,
    internalUrl: internalUrlOf(config),
    clientId: 'portal',
    clientSigner: portalSigner,
    keyId: thumbprint(portalSigner.publicKey),
    pageFolder,
    now,
    randomBytes: random,
    logger,
  })

  let open = false
  const app = await createServer({
    logger,
    publicUrl,
    authentication: { issuer: `${publicUrl}/oauth`, audience: publicUrl, jwks: authorization.jwks, now },
    problemOf: problemOfDatabaseError,
    // As hard to guess as any id, and drawn from a store of randomness: a call for it would be a tenth of a short answer.
    newRequestId: randomUUID,
    readiness: [
      { name: 'city', check: async () => (open ? null : 'starting') },
      { name: 'database', check: () => sql`SELECT 1`.execute(registryDatabase).then(() => null) },
      // Without witnesses or ledger the city goes on, and what happens in it is published when they are back.
      {
        name: 'log',
        advisory: true,
        check: async () => {
          const { sequencing_fault, publishing_fault } = await registry.status()
          return sequencing_fault ?? publishing_fault
        },
      },
      { name: 'ledger', advisory: true, check: async () => (await registry.status()).fault },
    ],
  })
  const services = [registry, credentials, authorization, permissions, metering, verifier, portal]
  for (const service of services) await app.register(service.routes)
  await app.register(
    authorityRoutes({
      did: authority.did,
      registrar: registrar.did,
      environment: config.environment,
      log: {
        origin: logOrigin,
        vkey: registry.logVkey,
        vkeys: [...registry.logVkeys],
        self_witnessed: registry.selfWitnessed,
      },
    }),
  )
  return {
    app,
    services,
    credentials,
    registrar,
    authority,
    utility,
    personas: cityPersonas,
    selfWitnessed: registry.selfWitnessed,
    markOpen: () => {
      open = true
    },
  }
}

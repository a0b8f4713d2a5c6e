import { randomBytes, randomUUID } from 'node:crypto'
import { problemOfDatabaseError } from '@tillit/database'
import { createLogger, createServer, createTestIssuer, type TestCaller, type TillitServer } from '@tillit/http'
import { toPublicJwk } from '@tillit/keys'
import type { CredentialType, Presentation } from '@tillit/schemas'
import {
  addHolder,
  type Identity,
  newIdentity,
  organisation,
  startCity,
  type TestCity,
} from '../../credentials/test/start-city.ts'
import { createVerifier, type Verifier, type VerifierCertificate, type VerifierTables } from '../src/index.ts'

export const verifierUrl = 'https://verifier.test'

export interface Answer {
  status: number
  headers: Record<string, unknown>
  text: string
  body: Record<string, unknown>
}

export type Asked = Presentation & { request: NonNullable<Presentation['request']> }

export interface TestVerifier {
  city: TestCity
  app: TillitServer
  service: Verifier
  /** An accredited eligible party whose own key is not kept here, so the authority asks in its place. */
  adviser: Identity
  /** Whoever holds a credential. */
  holder: Identity
  /** The holder's metering point. */
  point: string
  call(
    caller: Identity | TestCaller | null,
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    body?: object,
  ): Promise<Answer>
  /** What a browser or wallet would do, against this server. */
  fetch: typeof fetch
  ask(body: object, asker?: Identity): Promise<Asked>
  read(asked: { id: string }, responseCode?: string): Promise<Answer>
  issue(
    type: CredentialType,
    claims: Record<string, unknown>,
    format?: 'dc+sd-jwt' | 'jwt_vc_json',
  ): Promise<{ credential: string; id: string }>
  entitlement(): Promise<{ credential: string; id: string }>
  rows(): Promise<Record<string, unknown>[]>
  stop(): Promise<void>
}

/** The verifier service in a server of its own, beside a real credentials service over the same database. */
export async function startVerifier({
  certificate = null,
  publicUrl = verifierUrl,
}: {
  certificate?: VerifierCertificate | null
  publicUrl?: string
} = {}): Promise<TestVerifier> {
  const city = await startCity()
  const now = () => city.clock.now
  const db = city.database.connect<VerifierTables>('verifier')
  const hosted = [city.registrar, city.authority, city.utility]
  const verifier = createVerifier({
    db,
    now,
    randomBytes: (length) => new Uint8Array(randomBytes(length)),
    publicUrl,
    hostedKeys: async (did) => hosted.find((identity) => identity.did === did) ?? null,
    authorityDid: city.authority.did,
    certificate,
    readParty: city.credentials.readParty,
    verification: city.credentials.verification,
    onError: (error) => {
      throw error
    },
  })
  const tokens = await createTestIssuer(publicUrl, now)
  const app = await createServer({
    logger: createLogger('silent'),
    publicUrl,
    authentication: { issuer: tokens.issuer, audience: publicUrl, jwks: tokens.jwks, now },
    problemOf: problemOfDatabaseError,
    readiness: [],
    newRequestId: randomUUID,
  })
  await app.register(verifier.routes)
  await app.ready()

  const adviser = await newIdentity()
  const holder = await newIdentity()
  await city.accredit(city.utility)
  await city.accredit(adviser, { legal_name: 'Sparring AS', roles: ['eligible_party'], purposes: ['energy-advice'] })
  const { point } = await addHolder(city, city.utility)

  const call: TestVerifier['call'] = async (caller, method, path, body) => {
    const who = caller !== null && 'signer' in caller ? organisation(caller) : caller
    const headers = who === null ? {} : await tokens.headers(who, method, path)
    const reply = await app.inject({ method, url: path, headers, ...(body === undefined ? {} : { payload: body }) })
    const isJson = String(reply.headers['content-type'] ?? '').includes('json')
    return {
      status: reply.statusCode,
      headers: reply.headers,
      text: reply.body,
      body: isJson ? (reply.json() as Record<string, unknown>) : {},
    }
  }
  const issue: TestVerifier['issue'] = (type, claims, format = 'dc+sd-jwt') =>
    city.credentials.issueCredential({
      ...{ type, format, claims },
      holder: { did: holder.did, jwk: toPublicJwk(holder.signer.publicKey) },
    })
  return {
    ...{ city, app, service: verifier, adviser, holder, point, call, issue },
    fetch: fetchFrom(app, publicUrl),
    ask: async (body, asker = adviser) => {
      const answer = await call(asker, 'POST', '/presentations', { purpose: 'To advise you about your use', ...body })
      if (answer.status !== 201) throw new Error(`the request was refused: ${answer.text}`)
      return answer.body as unknown as Asked
    },
    read: (asked, responseCode) =>
      call(
        adviser,
        'GET',
        `/presentations/${asked.id}${responseCode === undefined ? '' : `?response_code=${responseCode}`}`,
      ),
    entitlement: () =>
      issue('MeteringPointEntitlement', {
        gsrn: '707057500000000001',
        metering_point: point,
        role: 'holder',
        from: '2025-01-01T00:00:00+01:00',
      }),
    rows: () => db.selectFrom('verifier.presentations').selectAll().execute() as Promise<Record<string, unknown>[]>,
    stop: async () => {
      await verifier.stop()
      await app.close()
      await city.stop()
    },
  }
}

/** A fetch that reaches the one server there is, without a network. */
function fetchFrom(app: TillitServer, publicUrl: string): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init)
    const { origin, pathname, search } = new URL(request.url)
    if (origin !== publicUrl) throw new TypeError(`nothing answers at ${origin}`)
    const body = await request.text()
    const reply = await app.inject({
      method: request.method === 'POST' ? 'POST' : 'GET',
      url: pathname + search,
      headers: Object.fromEntries(request.headers),
      ...(body === '' ? {} : { payload: body }),
    })
    const headers = new Headers()
    for (const [name, value] of Object.entries(reply.headers)) if (value !== undefined) headers.set(name, String(value))
    return new Response(reply.body, { status: reply.statusCode, headers })
  }
}

export { newIdentity }

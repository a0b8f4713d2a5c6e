import { parseJson, sha256, toBase64url, utf8 } from '@tillit/codec'
import { type Signer, signJws, toPublicJwk } from '@tillit/keys'
import { isProblem } from '@tillit/problem'
import type { ProblemDocument } from '@tillit/schemas'

/** Longest wait for an answer of the city. */
const timeoutMilliseconds = 30_000
/** A token is renewed this long before it expires. */
const renewBeforeSeconds = 20
const assertionLifetimeSeconds = 60

/** What the city answered instead of the thing asked for: its RFC 9457 problem. */
export class CityError extends Error {
  readonly status: number
  readonly code: string
  readonly problem: Partial<ProblemDocument>

  constructor(status: number, problem: Partial<ProblemDocument>) {
    super(problem.detail ?? problem.title ?? `The city answered ${status}`)
    this.name = 'CityError'
    this.status = status
    this.code = problem.code ?? 'unknown'
    this.problem = problem
  }
}

export interface CityOptions {
  /** The city's public URL, for example `http://127.0.0.1:8080`. */
  url: string
  /** Who asks: a DID whose document lists the key for authentication. Left out for public routes only. */
  identity?: ClientIdentity
  fetch?: typeof fetch
  now?: () => Date
}

export interface ClientIdentity {
  did: string
  /** The verification method's id, as the DID document has it. */
  keyId: string
  signer: Signer
}

export interface CityRequest {
  query?: Record<string, string | number | undefined>
  body?: unknown
  accept?: string
  headers?: Record<string, string>
}

/** A connection to a city: signs in with the DID's key (RFC 7523), binds its tokens to it (RFC 9449), asks. */
export interface City {
  readonly url: string
  get<T>(path: string, request?: CityRequest): Promise<T>
  post<T>(path: string, body?: unknown, request?: CityRequest): Promise<T>
  /** The answer's bytes as text, for formats other than JSON. */
  text(method: string, path: string, request?: CityRequest): Promise<string>
}

/** Throws CityError for problems, and whatever fetch throws when the city cannot be reached. */
export function connectCity(options: CityOptions): City {
  const connection: Connection = {
    ...options,
    url: options.url.replace(/\/$/, ''),
    // Browsers refuse `fetch` as a method of anything but the window.
    fetch: options.fetch ?? ((...request) => fetch(...request)),
    now: options.now ?? (() => new Date()),
    token: null,
  }
  const text = (method: string, path: string, request: CityRequest = {}) => send(connection, method, path, request)
  return {
    url: connection.url,
    text,
    get: async <T>(path: string, request?: CityRequest) => parseJson(await text('GET', path, request)) as T,
    post: async <T>(path: string, body?: unknown, request: CityRequest = {}) => {
      const answer = await text('POST', path, body === undefined ? request : { ...request, body })
      return (answer === '' ? undefined : parseJson(answer)) as T
    },
  }
}

interface Connection {
  url: string
  identity?: ClientIdentity
  fetch: typeof fetch
  now: () => Date
  token: { value: string; expiresAtSeconds: number } | null
}

async function send(connection: Connection, method: string, path: string, request: CityRequest): Promise<string> {
  const held = connection.token
  try {
    return await sendOnce(connection, method, path, request)
  } catch (error) {
    // A token got earlier that the city no longer knows (it has new keys, say). Nothing was done under it: ask again, once.
    if (!(error instanceof CityError && error.code === 'invalid-token') || held === null) throw error
    if (connection.token === held) connection.token = null
    return sendOnce(connection, method, path, request)
  }
}

async function sendOnce(connection: Connection, method: string, path: string, request: CityRequest): Promise<string> {
  const url = connection.url + path
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(request.query ?? {}))
    if (value !== undefined) query.set(name, String(value))
  const headers: Record<string, string> = { accept: request.accept ?? 'application/json', ...request.headers }
  if (request.body !== undefined) headers['content-type'] = 'application/json'
  if (connection.identity !== undefined) {
    const token = await accessToken(connection, connection.identity)
    headers.authorization = `DPoP ${token}`
    headers.dpop = await proof(connection, connection.identity, { method, url, token })
  }
  const reply = await connection.fetch(query.size === 0 ? url : `${url}?${query}`, {
    method,
    headers,
    ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
    signal: AbortSignal.timeout(timeoutMilliseconds),
  })
  const answer = await reply.text()
  if (!reply.ok) throw new CityError(reply.status, problemIn(answer))
  return answer
}

async function accessToken(connection: Connection, identity: ClientIdentity): Promise<string> {
  const nowSeconds = Math.floor(connection.now().getTime() / 1000)
  if (connection.token !== null && connection.token.expiresAtSeconds > nowSeconds + renewBeforeSeconds)
    return connection.token.value
  const endpoint = `${connection.url}/oauth/token`
  const claims = {
    iss: identity.did,
    sub: identity.did,
    aud: `${connection.url}/oauth`,
    jti: randomText(),
    iat: nowSeconds,
    exp: nowSeconds + assertionLifetimeSeconds,
  }
  const assertion = await signJws({ typ: 'JWT', kid: identity.keyId }, claims, identity.signer)
  const reply = await connection.fetch(endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
      dpop: await proof(connection, identity, { method: 'POST', url: endpoint }),
    },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: identity.did,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
      resource: connection.url,
    }),
    signal: AbortSignal.timeout(timeoutMilliseconds),
  })
  const answer = await reply.text()
  if (!reply.ok) throw new CityError(reply.status, oauthProblem(answer))
  const { access_token: value, expires_in: lifetime } = parseJson(answer) as {
    access_token: string
    expires_in: number
  }
  connection.token = { value, expiresAtSeconds: nowSeconds + lifetime }
  return value
}

/** RFC 9449 section 4.2. */
function proof(
  connection: Connection,
  identity: ClientIdentity,
  { method, url, token }: { method: string; url: string; token?: string },
): Promise<string> {
  const claims = {
    htm: method,
    htu: url,
    iat: Math.floor(connection.now().getTime() / 1000),
    jti: randomText(),
    ...(token === undefined ? {} : { ath: toBase64url(sha256(utf8(token))) }),
  }
  return signJws({ typ: 'dpop+jwt', jwk: toPublicJwk(identity.signer.publicKey) }, claims, identity.signer)
}

function problemIn(answer: string): Partial<ProblemDocument> {
  try {
    const value = parseJson(answer)
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as Partial<ProblemDocument>
  } catch (error) {
    if (!isProblem(error)) throw error // a proxy's page, say, is no JSON
  }
  return { detail: 'The answer is not a problem document' }
}

/** RFC 6749 section 5.2. */
function oauthProblem(answer: string): Partial<ProblemDocument> {
  const body = problemIn(answer) as { error?: string; error_description?: string; code?: string; detail?: string }
  return {
    code: body.error ?? body.code ?? 'unknown',
    detail: body.error_description ?? body.detail ?? 'The token was refused',
  }
}

function randomText(): string {
  return toBase64url(crypto.getRandomValues(new Uint8Array(16)))
}

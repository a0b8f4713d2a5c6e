import { sha256, toBase64url, utf8 } from '@tillit/codec'
import { signerFromJwk, signJws, toPublicJwk } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import type { SignedIn } from './sessions.ts'

const timeoutMilliseconds = 20_000

/** What of the city the page may ask for: everything under these. */
const allowedPrefixes = [
  'permissions',
  'access-records',
  'metering-points',
  'wallet',
  'openid4vci/offers',
  'log',
  'registry',
  '1.0/identifiers',
]
/** Of the browser's headers only these are passed on. */
const passedHeaders = ['content-type', 'accept', 'idempotency-key', 'x-request-id']

export interface CityQuestion {
  method: string
  /** Path below the city's root, and the query, as they came in. */
  path: string
  query: string
  headers: Record<string, string | string[] | undefined>
  body: Uint8Array | undefined
}

export interface CityAnswer {
  status: number
  contentType: string | null
  body: Uint8Array
}

export interface AskPorts {
  publicUrl: string
  internalUrl: string
  now: () => Date
  randomBytes: (length: number) => Uint8Array
}

/**
 * Asks the city in the customer's name, with their access token and a fresh proof (RFC 9449). Throws Problem not-found for
 * a path that is not the page's to ask, city-unavailable when no answer came within 20 s.
 */
export async function askCity(question: CityQuestion, session: SignedIn, ports: AskPorts): Promise<CityAnswer> {
  const { method, path, query, body } = question
  if (!isAllowed(path)) throw new Problem('not-found', { detail: 'The portal does not pass this path on' })
  const headers = new Headers()
  for (const name of passedHeaders) {
    const value = question.headers[name]
    if (typeof value === 'string') headers.set(name, value)
  }
  headers.set('authorization', `DPoP ${session.accessToken}`)
  headers.set('dpop', await proofFor(session, { method, url: `${ports.publicUrl}/${path}`, ports }))
  try {
    const reply = await fetch(`${ports.internalUrl}/${path}${query}`, {
      method,
      headers,
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMilliseconds),
      ...(body === undefined ? {} : { body: body as Uint8Array<ArrayBuffer> }),
    })
    return {
      status: reply.status,
      contentType: reply.headers.get('content-type'),
      body: new Uint8Array(await reply.arrayBuffer()),
    }
  } catch (cause) {
    throw new Problem('city-unavailable', { detail: 'The city did not answer in time; try again', cause })
  }
}

/** Only plain segments: nothing that a URL parser would take for a way up or a way out. */
export function isAllowed(path: string): boolean {
  if (!/^[A-Za-z0-9._~:%/-]+$/.test(path) || /%(?:2e|2f|5c|00)/i.test(path)) return false
  if (path.split('/').some((segment) => segment === '' || segment === '.' || segment === '..')) return false
  return allowedPrefixes.some((prefix) => path === prefix || path.startsWith(`${prefix}/`))
}

async function proofFor(
  session: SignedIn,
  { method, url, ports }: { method: string; url: string; ports: AskPorts },
): Promise<string> {
  const signer = await signerFromJwk(session.dpopKey)
  const claims = {
    htm: method,
    htu: url,
    iat: Math.floor(ports.now().getTime() / 1000),
    jti: toBase64url(ports.randomBytes(16)),
    ath: toBase64url(sha256(utf8(session.accessToken))),
  }
  return signJws({ typ: 'dpop+jwt', jwk: toPublicJwk(signer.publicKey) }, claims, signer)
}

import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { sha256, toBase64url, utf8 } from '@tillit/codec'
import { type PublicKey, parseJws, parsePublicJwk, thumbprint, verifyJws } from '@tillit/keys'

/** One request that the city let through: its token and the claims of its proof, both verified. */
export interface Seen {
  token: string | null
  proof: Record<string, unknown> | null
  url: string
  body: string
}

export interface TokenCity {
  url: string
  /** How many tokens were handed out. */
  tokens: number
  lifetimeSeconds: number
  seen: Seen[]
  /** Forgets every token that was handed out. */
  forget(): void
  answer: (request: Seen) => { status: number; text: string }
  stop(): Promise<void>
}

/** The token endpoint and one protected door of a city, over HTTP, verifying signatures as RFC 7523 and RFC 9449 ask. */
export async function startTokenCity(client: { did: string; keyId: string; key: PublicKey }): Promise<TokenCity> {
  const known = new Map<string, string>() // token to the thumbprint that it is bound to
  const server = createServer((request, response) => {
    handle(request).then(
      ({ status, text }) => reply(response, status, text),
      (error: Error) => reply(response, 500, JSON.stringify({ code: 'broken', detail: error.message })),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const city: TokenCity = {
    ...{ url, tokens: 0, lifetimeSeconds: 300, seen: [] },
    forget: () => known.clear(),
    answer: () => ({ status: 200, text: '{"well":true}' }),
    stop: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }

  async function handle(request: IncomingMessage): Promise<{ status: number; text: string }> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const body = Buffer.concat(chunks).toString()
    const path = request.url ?? ''
    const proof = readProof(request.headers.dpop)
    if (path === '/oauth/token') return issue(new URLSearchParams(body), proof)
    const token = request.headers.authorization?.replace(/^DPoP /, '') ?? null
    if (token !== null && (proof === null || known.get(token) !== proof.jkt))
      return { status: 401, text: JSON.stringify({ code: 'invalid-token', detail: 'The token is not known' }) }
    const seen = { token, proof: proof?.claims ?? null, url: path, body }
    city.seen.push(seen)
    return city.answer(seen)
  }

  function issue(form: URLSearchParams, proof: Proof | null): { status: number; text: string } {
    const assertion = form.get('client_assertion') ?? ''
    if (proof?.claims.htu !== `${url}/oauth/token` || form.get('client_id') !== client.did)
      return { status: 400, text: JSON.stringify({ error: 'invalid_request' }) }
    try {
      const { header, payload } = verifyJws(assertion, client.key, { typ: 'JWT' })
      if (header.kid !== client.keyId || payload.aud !== `${url}/oauth`) throw new Error('another key or audience')
    } catch {
      return { status: 401, text: JSON.stringify({ error: 'invalid_client', error_description: 'Not that client' }) }
    }
    const token = `token-${++city.tokens}`
    known.set(token, proof.jkt)
    return { status: 200, text: JSON.stringify({ access_token: token, expires_in: city.lifetimeSeconds }) }
  }
  return city
}

interface Proof {
  jkt: string
  claims: Record<string, unknown>
}

function readProof(dpop: string | string[] | undefined): Proof | null {
  if (typeof dpop !== 'string') return null
  const key = parsePublicJwk(parseJws(dpop).header.jwk as Record<string, unknown>)
  return { jkt: thumbprint(key), claims: verifyJws(dpop, key, { typ: 'dpop+jwt' }).payload }
}

/** `ath` of a proof (RFC 9449 section 4.2). */
export function tokenHash(token: string): string {
  return toBase64url(sha256(utf8(token)))
}

function reply(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(text)
}

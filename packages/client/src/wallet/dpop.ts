import { sha256, toBase64url, utf8 } from '@tillit/codec'
import { type Signer, signJws, toPublicJwk } from '@tillit/keys'
import { type Answer, ask, refusal } from './ask.ts'
import { randomText } from './random-text.ts'
import type { WalletContext } from './wallet-context.ts'

/** A key that tokens are bound to, and the nonces that servers asked it to use (by origin). */
export interface DpopSession {
  readonly signer: Signer
  readonly nonces: Map<string, string>
}

export function openDpopSession(signer: Signer): DpopSession {
  return { signer, nonces: new Map() }
}

interface BoundRequest {
  readonly url: string
  readonly headers: Record<string, string>
  readonly body: string
  /** Sent with the request; left out while there is none. */
  readonly accessToken?: string
}

/**
 * A POST with proof of possession (RFC 9449). When the server asks for a nonce, once more with it (sections 8 and 9). Gives
 * refusals as answers.
 */
export async function postWithDpop(
  { fetch, now }: Pick<WalletContext, 'fetch' | 'now'>,
  session: DpopSession,
  request: BoundRequest,
): Promise<Answer> {
  const send = async () => {
    const answer = await ask(fetch, request.url, {
      method: 'POST',
      headers: {
        ...request.headers,
        ...(request.accessToken === undefined ? {} : { authorization: `DPoP ${request.accessToken}` }),
        dpop: await dpopProof(session, request, now()),
      },
      body: request.body,
    })
    const nonce = answer.headers.get('dpop-nonce')
    if (nonce !== null) session.nonces.set(new URL(request.url).origin, nonce)
    return { answer, nonce }
  }
  const { answer, nonce } = await send()
  return nonce !== null && wantsNonce(answer) ? (await send()).answer : answer
}

function dpopProof({ signer, nonces }: DpopSession, { url, accessToken }: BoundRequest, now: Date): Promise<string> {
  const { origin, pathname } = new URL(url)
  const nonce = nonces.get(origin)
  const claims = {
    jti: randomText(),
    htm: 'POST',
    htu: origin + pathname,
    iat: Math.floor(now.getTime() / 1000),
    ...(nonce === undefined ? {} : { nonce }),
    ...(accessToken === undefined ? {} : { ath: toBase64url(sha256(utf8(accessToken))) }),
  }
  return signJws({ typ: 'dpop+jwt', jwk: toPublicJwk(signer.publicKey) }, claims, signer)
}

/** An authorization server says so in its body, a resource server in WWW-Authenticate (sections 8 and 9). */
function wantsNonce(answer: Answer): boolean {
  if (answer.status !== 400 && answer.status !== 401) return false
  const challenge = answer.headers.get('www-authenticate') ?? ''
  return challenge.includes('use_dpop_nonce') || refusal(answer).code === 'use_dpop_nonce'
}

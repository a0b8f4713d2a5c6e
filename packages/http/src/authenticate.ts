import { Problem } from '@tillit/problem'
import type { FastifyRequest } from 'fastify'
import { type AccessToken, createTokenVerifier, type TokenVerifierOptions } from './access-token.ts'
import type { Caller } from './caller.ts'
import { verifyDpopProof } from './dpop-proof.ts'
import { createReplayStore } from './replay-store.ts'

export interface AuthenticationOptions extends TokenVerifierOptions {
  now: () => Date
}

/**
 * Gives the caller of a request from its DPoP-bound access token (RFC 9449 section 7.1). Bearer use of such a token is refused.
 * Throws Problem missing-token, invalid-token, invalid-dpop-proof, dpop-replay, or invalid-request for a token in the URL.
 */
export function createAuthenticator(options: AuthenticationOptions): (request: FastifyRequest) => Caller {
  const verifyToken = createTokenVerifier(options)
  const replays = createReplayStore()
  return (request) => {
    // RFC 6750 section 2.3 and RFC 9449 section 7.1: URLs end up in logs.
    if (carriesToken(request.url))
      throw new Problem('invalid-request', { detail: 'Access tokens are not taken from the URL' })
    const { authorization } = request.headers
    if (authorization === undefined) throw new Problem('missing-token')
    const [scheme, token, ...rest] = authorization.split(' ')
    if (scheme?.toLowerCase() !== 'dpop' || token === undefined || rest.length > 0) {
      throw new Problem('invalid-token', { detail: 'Access tokens are presented with the DPoP scheme' })
    }
    const now = options.now()
    const access = verifyToken(token, now)
    verifyDpopProof(request.headers.dpop, {
      method: request.method,
      url: options.audience + pathOf(request.url),
      accessToken: token,
      jkt: access.jkt,
      now,
      replays,
    })
    return callerFrom(access)
  }
}

function callerFrom({ kind, subject, jkt, clientId, authorizationDetails, offer }: AccessToken): Caller {
  return {
    ...{ kind, id: subject, jkt, clientId },
    ...(authorizationDetails === undefined ? {} : { authorizationDetails }),
    ...(offer === undefined ? {} : { offer }),
  }
}

function carriesToken(url: string): boolean {
  const queryAt = url.indexOf('?')
  return queryAt >= 0 && new URLSearchParams(url.slice(queryAt)).has('access_token')
}

function pathOf(url: string): string {
  const end = url.indexOf('?')
  return end < 0 ? url : url.slice(0, end)
}

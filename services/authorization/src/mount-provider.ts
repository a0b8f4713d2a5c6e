import type { IncomingMessage, ServerResponse } from 'node:http'
import middie from '@fastify/middie'
import type { TillitServer } from '@tillit/http'
import { parsePublicJwk } from '@tillit/keys'
import { isProblem, Problem } from '@tillit/problem'
import { decodeProtectedHeader } from 'jose'
import type { Provider } from 'oidc-provider'

const mountPath = '/oauth'
const metadataPath = `/.well-known/oauth-authorization-server${mountPath}`

type MountedRequest = IncomingMessage & { originalUrl?: string; id?: string }

/**
 * Hands everything under /oauth to oidc-provider, and the metadata path that RFC 8414 section 3.1 roots at the host. It runs in
 * onRequest, before any body is read, in a scope of its own, so neither our parsers nor our error bodies touch the protocol.
 */
export function mountProvider(provider: Provider): (app: TillitServer) => Promise<void> {
  refuseWeakProofKeys(provider)
  // Makes the provider believe the forwarded headers, all of which are set below and never the client's.
  provider.proxy = true
  const handle = provider.callback()
  const { host, protocol } = new URL(provider.issuer)

  const answer = (request: MountedRequest, response: ServerResponse) => {
    // Metadata, DPoP htu and redirects are made from the issuer: neither Host nor an absolute request target may say otherwise.
    request.headers.host = host
    request.headers['x-forwarded-host'] = host
    request.headers['x-forwarded-proto'] = protocol.slice(0, -1)
    delete request.headers['x-forwarded-for']
    request.originalUrl = mountPath + request.url
    response.setHeader('x-content-type-options', 'nosniff')
    if (request.id) response.setHeader('x-request-id', request.id)
    void handle(request, response)
  }

  return async (app) => {
    await app.register(middie)
    app.use(metadataPath, (request: MountedRequest, response: ServerResponse) => {
      request.url = '/.well-known/oauth-authorization-server'
      answer(request, response)
    })
    app.use(mountPath, answer)
    // Routes, so that the scope's hooks run; the hook answers, so the handler is never reached.
    const unreachable = async () => {
      throw new Problem('not-found')
    }
    app.get(metadataPath, { schema: { hide: true } }, unreachable)
    app.all(`${mountPath}/*`, { schema: { hide: true } }, unreachable)
  }
}

/** The provider checks a proof's signature but not its key, and under a weak key one signature fits every message. */
function refuseWeakProofKeys(provider: Provider): void {
  provider.use(async (ctx, next) => {
    const proof = ctx.get('DPoP')
    const jwk = proof === '' ? undefined : embeddedKey(proof)
    try {
      if (jwk) parsePublicJwk(jwk)
    } catch (error) {
      if (!isProblem(error)) throw error
      ctx.status = 400
      ctx.body = { error: 'invalid_dpop_proof', error_description: error.message }
      return
    }
    await next()
  })
}

function embeddedKey(proof: string): Record<string, unknown> | undefined {
  try {
    const { jwk } = decodeProtectedHeader(proof)
    return jwk && { ...jwk }
  } catch {
    return undefined // not a JWS: the provider refuses it with the protocol's own words
  }
}

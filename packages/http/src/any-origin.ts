import type { FastifyReply } from 'fastify'
import type { TillitServer } from './create-server.ts'

/** What wallets send beyond what any page may send unasked. */
const allowedHeaders = 'authorization, content-type, dpop'
/** What they have to read of an answer beside its body. */
const exposedHeaders = 'dpop-nonce, etag, retry-after, www-authenticate'
/** The longest that browsers remember. */
const preflightAgeSeconds = 7200

/**
 * Answers the preflights (Fetch standard, CORS protocol) of all routes with `config.anyOrigin` that are added from now on.
 */
export function answerPreflights(app: TillitServer): void {
  const methodsAt = new Map<string, Set<string>>()
  app.addHook('onRoute', function ({ url, method, config }) {
    if (config?.anyOrigin !== true) return
    const known = methodsAt.get(url)
    const methods = known ?? new Set<string>()
    for (const one of [method].flat()) methods.add(one)
    if (known) return
    methodsAt.set(url, methods)
    this.options(url, { schema: { hide: true } }, async (_request, reply) => {
      letAnyOriginRead(reply).headers({
        'access-control-allow-methods': [...methods].join(', '),
        'access-control-allow-headers': allowedHeaders,
        'access-control-max-age': preflightAgeSeconds,
      })
      return reply.code(204).send()
    })
  })
}

/** Errors too: a wallet that cannot read them cannot react. */
export function letAnyOriginRead(reply: FastifyReply): FastifyReply {
  return reply.headers({ 'access-control-allow-origin': '*', 'access-control-expose-headers': exposedHeaders })
}

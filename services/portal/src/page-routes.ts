import { sep } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { TillitServer } from '@tillit/http'

/** Everything from ourselves, no inline script or style, in nobody's frame. */
const contentSecurityPolicy = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ')

const oneYear = 'public, max-age=31536000, immutable'

/** The page and its assets, as the build left them in `folder`. File names of assets hold their hash, so they never change. */
export function pageRoutes(folder: string): (app: TillitServer) => Promise<void> {
  return async (app) => {
    app.addHook('onSend', async (_request, reply) => {
      reply.headers({
        'content-security-policy': contentSecurityPolicy,
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
        'permissions-policy': 'camera=(), geolocation=(), microphone=()',
        'x-content-type-options': 'nosniff',
      })
    })
    await app.register(fastifyStatic, {
      root: folder,
      prefix: '/portal/',
      decorateReply: false,
      schemaHide: true,
      redirect: false,
      dotfiles: 'deny',
      cacheControl: false,
      preCompressed: true,
      setHeaders: (reply, path) => {
        reply.header('cache-control', path.includes(`${sep}assets${sep}`) ? oneYear : 'no-cache')
      },
    })
    app.get('/', { schema: { hide: true } }, async (_request, reply) => reply.redirect('/portal/', 302))
    app.get('/portal', { schema: { hide: true } }, async (_request, reply) => reply.redirect('/portal/', 302))
  }
}

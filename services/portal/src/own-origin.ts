import { Problem } from '@tillit/problem'
import type { FastifyRequest } from 'fastify'

/** The page sends this with every call; a form or an image of another site cannot. */
export const portalHeader = 'x-tillit-portal'

/** Throws Problem foreign-origin unless the request comes from the portal's own page (the cookie alone proves nothing). */
export function requireOwnOrigin(request: FastifyRequest, publicUrl: string): void {
  if (request.headers[portalHeader] !== '1') {
    throw new Problem('foreign-origin', { detail: `The header ${portalHeader} is missing`, pointer: portalHeader })
  }
  const changes = request.method !== 'GET' && request.method !== 'HEAD'
  if (changes && request.headers.origin !== new URL(publicUrl).origin) {
    throw new Problem('foreign-origin', { detail: 'The origin is not that of the portal', pointer: 'origin' })
  }
}

import { Problem } from '@tillit/problem'
import type { FastifyRequest } from 'fastify'

export type CallerKind = 'customer' | 'organisation' | 'device'

/** Who asks, as the access token and the proof of possession show. */
export interface Caller {
  kind: CallerKind
  /** The DID of an organisation or device; the opaque `cust_…` of a customer. */
  id: string
  /** JWK thumbprint of the key that the token is bound to. */
  jkt: string
  clientId: string
}

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller | null
  }
  interface FastifyContextConfig {
    /** Kinds of caller that a route is for; absent on public routes. */
    callers?: CallerKind[]
  }
}

/** The authenticated caller of a route that has `config.callers`. */
export function callerOf(request: FastifyRequest): Caller {
  if (request.caller === null) throw new Problem('missing-token')
  return request.caller
}

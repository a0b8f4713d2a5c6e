import { Problem } from '@tillit/problem'
import type { FastifyRequest } from 'fastify'
import type { CredentialAuthorization } from './credential-authorization.ts'

export type CallerKind = 'customer' | 'organisation' | 'device'

/** Who asks, as the access token and the proof of possession show. */
export interface Caller {
  kind: CallerKind
  /** The DID of an organisation or device; the opaque `cust_…` of a customer. */
  id: string
  /** JWK thumbprint of the key that the token is bound to. */
  jkt: string
  clientId: string
  /** Present, also when empty: the token is for receiving these credentials and nothing else. */
  authorizationDetails?: readonly CredentialAuthorization[]
  /** The credential offer that the token came from. */
  offer?: string
}

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller | null
  }
  interface FastifyContextConfig {
    /** Kinds of caller that a route is for; absent on public routes. */
    callers?: CallerKind[]
    /** The route serves wallets: it also takes tokens that are for receiving credentials and nothing else. */
    credentialTokens?: boolean
    /**
     * Pages of any origin may call the route and read what it answers: it is public, or its callers prove who they are with what
     * no browser adds by itself.
     */
    anyOrigin?: boolean
  }
}

/** The authenticated caller of a route that has `config.callers`. */
export function callerOf(request: FastifyRequest): Caller {
  if (request.caller === null) throw new Problem('missing-token')
  return request.caller
}

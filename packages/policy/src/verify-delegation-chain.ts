import {
  type ParsedJws,
  type PublicKey,
  parseJws,
  parsePublicJwk,
  thumbprint,
  toMultikey,
  verifyJws,
} from '@tillit/keys'
import { isProblem, Problem } from '@tillit/problem'
import { DelegationClaims, type PurposeCatalogue, purposeCatalogue, type Scope } from '@tillit/schemas'
import { Errors } from 'typebox/value'
import { delegationType, isDelegationClaims, statementDigest } from './delegation-claims.ts'
import { parseScope } from './parse-scope.ts'
import { explainWithin } from './scope-order.ts'

export const maxDelegationHops = 8
/** All hops together, in characters. */
export const maxChainCharacters = 256 * 1024
/** How far the clocks of two signers may be apart. */
const clockSkewSeconds = 60
const knownHeaders = new Set(['typ', 'alg', 'jwk', 'kid'])

export interface VerifiedHop {
  claims: DelegationClaims
  /** The canonical scope of this hop. */
  scope: Scope
  signerThumbprint: string
}

/** A chain that holds: what its last delegatee may do. It was validly delegated; whether it still is, its status says. */
export interface VerifiedChain {
  hops: VerifiedHop[]
  effectiveScope: Scope
  /** DID of the last delegatee. */
  delegatee: string
  /** Thumbprint of the key with which the last delegatee proves possession. */
  delegateeKey: string
  expires: Date
}

export interface ChainOptions {
  /** The customer's wallet key: the only one that may sign the root. */
  rootKey: PublicKey
  /** When given, every hop must be in its time. */
  now?: Date
  catalogue?: PurposeCatalogue
  maxHops?: number
}

/**
 * Verifies a chain of delegations offline, root first, and stops at the first fault. Throws Problem scope-wider when a hop
 * is wider than the one it rests on (`reasons` holds the axes), else invalid-delegation with the hop as pointer (`/chain/1`)
 * and one stable word in `reasons`.
 */
export function verifyDelegationChain(chain: readonly string[], options: ChainOptions): VerifiedChain {
  const { catalogue = purposeCatalogue, maxHops = maxDelegationHops } = options
  if (chain.length === 0) throw fault(0, 'empty', 'The chain has no hop')
  if (chain.length > Math.min(maxHops, maxDelegationHops))
    throw fault(maxHops, 'too-long', 'The chain has too many hops')
  if (chain.reduce((sum, hop) => sum + hop.length, 0) > maxChainCharacters)
    throw fault(0, 'too-large', 'The chain is too large')

  const hops: VerifiedHop[] = []
  let parent: { hop: VerifiedHop; statement: string } | null = null
  for (const [index, statement] of chain.entries()) {
    const hop: VerifiedHop = parent
      ? verifyChild(statement, index, parent, catalogue)
      : verifyRoot(statement, options.rootKey, catalogue)
    checkTimes(hop, index, options.now)
    if (hops.some((earlier) => earlier.claims.jti === hop.claims.jti))
      throw fault(index, 'repeated', 'Two hops have the same jti')
    hops.push(hop)
    parent = { hop, statement }
  }
  const last = hops.at(-1)
  if (!last) throw fault(0, 'empty', 'The chain has no hop')
  return {
    hops,
    effectiveScope: last.scope,
    delegatee: last.claims.aud,
    delegateeKey: last.claims.cnf.jkt,
    expires: new Date(Math.min(...hops.map(({ claims }) => claims.exp)) * 1000),
  }
}

function verifyRoot(statement: string, rootKey: PublicKey, catalogue: PurposeCatalogue): VerifiedHop {
  const { jws, claims, scope } = readHop(statement, 0, catalogue)
  const { header } = jws
  if (header.jwk !== undefined && thumbprint(headerKey(header.jwk, 0)) !== thumbprint(rootKey))
    throw fault(0, 'signer', 'The root is signed by another key than the customer’s')
  checkSignature(jws, rootKey, 0)
  if (claims.prv !== undefined) throw fault(0, 'not-a-root', 'The first hop rests on another one')
  if (claims.iss !== claims.sub) throw fault(0, 'subject', 'The root is not issued by the customer')
  if (claims.iss.startsWith('did:key:') && claims.iss !== `did:key:${toMultikey(rootKey)}`)
    throw fault(0, 'signer', 'The issuer of the root is another did:key')
  if (claims.dep > scope.delegation.max_depth) throw fault(0, 'depth', 'The root allows more hops than its scope')
  return { claims, scope, signerThumbprint: thumbprint(rootKey) }
}

function verifyChild(
  statement: string,
  index: number,
  parent: { hop: VerifiedHop; statement: string },
  catalogue: PurposeCatalogue,
): VerifiedHop {
  const { jws, claims, scope } = readHop(statement, index, catalogue)
  const above = parent.hop.claims
  const key = headerKey(jws.header.jwk, index)
  if (thumbprint(key) !== above.cnf.jkt)
    throw fault(index, 'signer', 'The hop is not signed by the key that its parent confirms')
  checkSignature(jws, key, index)
  if (claims.prv !== statementDigest(parent.statement)) throw fault(index, 'parent', 'The hop rests on another parent')
  if (claims.iss !== above.aud) throw fault(index, 'issuer', 'The issuer is not the audience of the parent')
  if (claims.sub !== above.sub) throw fault(index, 'subject', 'The hop is about somebody else')
  if (claims.dep >= above.dep) throw fault(index, 'depth', 'The parent does not allow this many hops')
  if (claims.dep > scope.delegation.max_depth) throw fault(index, 'depth', 'The hop allows more hops than its scope')
  if (!parent.hop.scope.delegation.recipients.includes(claims.aud))
    throw fault(index, 'recipient', 'The parent does not name this delegatee as a recipient')
  if (claims.nbf < above.nbf || claims.exp > above.exp)
    throw fault(index, 'time', 'The hop lasts longer than its parent')
  const excess = explainWithin(scope, parent.hop.scope, catalogue)
  if (excess.length > 0) {
    throw new Problem('scope-wider', {
      detail: `Hop ${index} is wider than its parent. ${excess.map(({ words }) => words).join('. ')}`,
      pointer: `/chain/${index}`,
      extra: { reasons: excess.map(({ axis }) => axis) },
    })
  }
  return { claims, scope, signerThumbprint: thumbprint(key) }
}

function readHop(
  statement: string,
  index: number,
  catalogue: PurposeCatalogue,
): { jws: ParsedJws; claims: DelegationClaims; scope: Scope } {
  const jws = within(index, 'malformed', () => parseJws(statement))
  const { header, payload } = jws
  const unknown = Object.keys(header).find((name) => !knownHeaders.has(name))
  if (unknown !== undefined) throw fault(index, 'unknown-header', 'The header has a member that is not known')
  if (!isDelegationClaims(payload)) {
    const error = Errors(DelegationClaims, payload)[0]
    throw fault(
      index,
      'claims',
      `The claims ${error?.instancePath ?? ''} ${error?.message ?? 'are not valid'}`.slice(0, 300),
    )
  }
  const scope = within(index, 'scope', () => parseScope(payload.authorization_details[0], { catalogue }))
  return { jws, claims: payload, scope }
}

function checkTimes({ claims, scope }: VerifiedHop, index: number, now: Date | undefined): void {
  if (claims.nbf >= claims.exp) throw fault(index, 'time', 'The hop ends before it begins')
  if (claims.exp * 1000 > new Date(scope.expires).getTime())
    throw fault(index, 'time', 'The hop lasts longer than its scope')
  if (now === undefined) return
  const seconds = now.getTime() / 1000
  if (seconds >= claims.exp) throw fault(index, 'expired', 'The hop has expired')
  if (seconds < claims.nbf - clockSkewSeconds) throw fault(index, 'not-yet', 'The hop is not valid yet')
}

function checkSignature(jws: ParsedJws, key: PublicKey, index: number): void {
  within(index, 'signature', () => verifyJws(jws, key, { typ: delegationType }))
}

function headerKey(jwk: unknown, index: number): PublicKey {
  if (jwk === null || typeof jwk !== 'object' || Array.isArray(jwk))
    throw fault(index, 'signer', 'The header has no public key')
  return within(index, 'signer', () => parsePublicJwk(jwk as Record<string, unknown>))
}

/** Runs one check and says at which hop it failed. Anything but a Problem is a fault of ours and passes through. */
function within<T>(index: number, reason: string, check: () => T): T {
  try {
    return check()
  } catch (cause) {
    if (!isProblem(cause)) throw cause
    throw fault(index, reason, cause.message, cause)
  }
}

function fault(index: number, reason: string, words: string, cause?: unknown): Problem {
  return new Problem('invalid-delegation', {
    detail: `Hop ${index}: ${words}`,
    pointer: `/chain/${index}`,
    extra: { reasons: [reason] },
    ...(cause === undefined ? {} : { cause }),
  })
}

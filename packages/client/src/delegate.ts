import { toBase64url } from '@tillit/codec'
import { type Signer, signJws, toPublicJwk } from '@tillit/keys'
import { childClaims, delegationType, parseScope } from '@tillit/policy'
import type { Scope } from '@tillit/schemas'

/**
 * Adds a hop to a delegation chain (root first): whoever holds the key that the last hop names passes on a narrower scope.
 * Nothing is asked of any server. Verify the result with `verifyDelegationChain` of packages/policy.
 */
export async function delegate(
  chain: string[],
  { to, scope, signer, now }: { to: { did: string; keyThumbprint: string }; scope: Scope; signer: Signer; now: Date },
): Promise<string[]> {
  const parent = chain.at(-1)
  if (parent === undefined) throw new RangeError('a chain starts with the customer’s acceptance')
  const claims = childClaims({
    parent,
    audience: to.did,
    audienceKey: to.keyThumbprint,
    id: toBase64url(crypto.getRandomValues(new Uint8Array(16))),
    scope: parseScope(scope),
    now,
  })
  return [...chain, await signJws({ typ: delegationType, jwk: toPublicJwk(signer.publicKey) }, claims, signer)]
}

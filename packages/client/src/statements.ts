import { toBase64url } from '@tillit/codec'
import { didKeyFor } from '@tillit/did'
import { type Signer, signJws, toPublicJwk } from '@tillit/keys'
import { delegationType, parseScope, rootClaims, scopeDigest } from '@tillit/policy'
import type { KeyBindingClaims, Permission, Scope, StatementClaims } from '@tillit/schemas'

export interface StatementOptions {
  /** The wallet's key. */
  signer: Signer
  now: Date
}

/**
 * The customer's acceptance: the root hop of the delegation chain, over exactly the scope that was shown. `accepted` may be
 * narrower than what was asked.
 */
export async function createAcceptance(
  permission: Permission,
  accepted: Scope,
  { signer, now, notice }: StatementOptions & { notice: { version: string; locale: string } },
): Promise<string> {
  const scope = parseScope(accepted)
  const claims = rootClaims({
    customerDid: didKeyFor(signer.publicKey),
    partyDid: permission.party.did,
    permissionId: permission.id,
    partyKey: permission.party_key,
    scope,
    now,
    notice: { ...notice, scope_digest: scopeDigest(scope) },
  })
  return signJws({ typ: delegationType, jwk: toPublicJwk(signer.publicKey) }, claims, signer)
}

/** The customer's rejection of a request or revocation of a permission. `authority` is the city's own DID. */
export async function createStatement(
  action: 'reject' | 'revoke',
  permissionId: string,
  { signer, now, authority }: StatementOptions & { authority: string },
): Promise<string> {
  const claims: StatementClaims = {
    iss: didKeyFor(signer.publicKey),
    aud: authority,
    iat: seconds(now),
    jti: randomText(),
    permission: permissionId,
    action,
  }
  return signJws({ typ: 'tillit-statement+jwt', jwk: toPublicJwk(signer.publicKey) }, claims, signer)
}

/** Binds the wallet's key to the signed-in customer, signed by that key. */
export async function createKeyBinding(
  customer: string,
  { signer, now, authority }: StatementOptions & { authority: string },
): Promise<string> {
  const claims: KeyBindingClaims = {
    iss: didKeyFor(signer.publicKey),
    sub: customer,
    aud: authority,
    iat: seconds(now),
    jti: randomText(),
  }
  return signJws({ typ: 'tillit-key-binding+jwt', jwk: toPublicJwk(signer.publicKey) }, claims, signer)
}

function seconds(time: Date): number {
  return Math.floor(time.getTime() / 1000)
}

function randomText(): string {
  return toBase64url(crypto.getRandomValues(new Uint8Array(16)))
}

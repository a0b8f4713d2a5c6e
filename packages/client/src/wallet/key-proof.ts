import { signJws, toPublicJwk } from '@tillit/keys'
import type { WalletContext } from './wallet-context.ts'
import type { WalletKey } from './wallet-store.ts'

export const keyProofType = 'openid4vci-proof+jwt'

/**
 * Shows the issuer that the wallet holds the key (OpenID4VCI 1.0 appendix F.1). A DID names its key by `kid`; any other key
 * comes along. A key attestation in the header speaks for further keys, too. `iss` is the client, and left out by a wallet that the authorization server does not know.
 */
export function createKeyProof(
  { identity, client, now }: Pick<WalletContext, 'identity' | 'client' | 'now'>,
  key: WalletKey,
  {
    credentialIssuer,
    nonce,
    keyAttestation,
  }: { credentialIssuer: string; nonce: string | null; keyAttestation?: string },
): Promise<string> {
  const clientId = identity?.did ?? client?.clientId
  const keyName = identity === null ? { jwk: toPublicJwk(key.signer.publicKey) } : { kid: identity.keyId }
  const claims = {
    ...(clientId === undefined ? {} : { iss: clientId }),
    aud: credentialIssuer,
    iat: Math.floor(now().getTime() / 1000),
    ...(nonce === null ? {} : { nonce }),
  }
  const attested = keyAttestation === undefined ? {} : { key_attestation: keyAttestation }
  return signJws({ typ: keyProofType, ...keyName, ...attested }, claims, key.signer)
}

import { X509Certificate } from 'node:crypto'
import { type PublicKey, parsePublicJwk, thumbprint, toPublicJwk } from '@tillit/keys'
import { isProblem } from '@tillit/problem'
import type { PublicJwk } from '@tillit/schemas'
import { type Client, errors, type JWTVerificationResult } from 'oidc-provider'
import type { Wallet } from './wallets.ts'

/**
 * The key of the wallet provider that a client attestation says to be signed with: by certificate (HAIP 1.0 section 4.4.1), by
 * `kid`, or the only one there is. It is always one that the city has listed for that wallet; a certificate adds no trust.
 */
export function attestationKey(wallet: Wallet | undefined, header: { x5c?: unknown; kid?: unknown }): PublicJwk {
  const keys = (wallet?.attestation_keys ?? []).map((key) => ({ kid: key.kid, key: parsePublicJwk({ ...key }) }))
  const certified = header.x5c === undefined ? undefined : certifiedThumbprint(header.x5c)
  const matches = keys.filter(({ kid, key }) => {
    if (certified !== undefined) return thumbprint(key) === certified
    return header.kid === undefined || kid === header.kid
  })
  const [match, ...others] = matches
  if (!match || others.length > 0) throw new Error('the attestation is not signed by a provider that is listed')
  return toPublicJwk(match.key)
}

/**
 * What the provider does not look at: the key of the wallet has to be one that a signature means something under, and a proof
 * of possession that names another client was made for something else. Throws InvalidClientAuth.
 */
export function checkAttestation(
  attestation: JWTVerificationResult,
  pop: JWTVerificationResult,
  client: Pick<Client, 'clientId'>,
): void {
  const { iss } = pop.payload
  if (iss !== undefined && iss !== client.clientId)
    throw new errors.InvalidClientAuth('the proof of possession is for another client')
  try {
    confirmedKey(attestation.payload.cnf)
  } catch (cause) {
    if (!isProblem(cause)) throw cause
    throw new errors.InvalidClientAuth({ cause })
  }
}

function confirmedKey(cnf: unknown): PublicKey {
  const jwk = cnf !== null && typeof cnf === 'object' && 'jwk' in cnf ? cnf.jwk : undefined
  return parsePublicJwk({ ...(jwk !== null && typeof jwk === 'object' ? jwk : {}) })
}

function certifiedThumbprint(x5c: unknown): string {
  const leaf: unknown = Array.isArray(x5c) ? x5c[0] : undefined
  if (typeof leaf !== 'string') throw new Error('x5c holds no certificate')
  return thumbprint(
    parsePublicJwk({ ...new X509Certificate(Buffer.from(leaf, 'base64')).publicKey.export({ format: 'jwk' }) }),
  )
}

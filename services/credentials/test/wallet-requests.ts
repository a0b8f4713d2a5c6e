import { type PublicKey, type Signer, signJws, toPublicJwk } from '@tillit/keys'
import { type Answer, addHolder, type Identity, publicUrl, type TestCity } from './start-city.ts'

export type Wallet = Parameters<TestCity['call']>[0] & object

/** A customer with a metering point of the city's utility, and a wallet's token for their entitlement. */
export async function addWallet(city: TestCity): Promise<{ wallet: Wallet; point: string }> {
  const { customer, point } = await addHolder(city, city.utility)
  return { wallet: forEntitlement(customer.id, `MeteringPointEntitlement:${point}`), point }
}

export function forEntitlement(customerId: string, identifier = 'MeteringPointEntitlement'): Wallet {
  return {
    kind: 'customer',
    id: customerId,
    authorizationDetails: [
      {
        type: 'openid_credential',
        credential_configuration_id: 'MeteringPointEntitlement',
        credential_identifiers: [identifier],
      },
    ],
  }
}

/** The identifier that the wallet's token lists. */
export function identifierOf(wallet: Wallet): string {
  return wallet.authorizationDetails?.[0]?.credential_identifiers[0] ?? ''
}

export async function freshNonce(city: TestCity): Promise<string> {
  return String((await city.call(null, 'POST', '/openid4vci/nonce')).body.c_nonce)
}

export interface ProofParts {
  header?: Record<string, unknown>
  payload?: Record<string, unknown>
  signer?: Signer
}

/** A key proof of type jwt; parts that are undefined are left out. */
export async function jwtProof(city: TestCity, key: Identity, nonce: string, parts: ProofParts = {}): Promise<string> {
  return signJws(
    { typ: 'openid4vci-proof+jwt', jwk: toPublicJwk(key.signer.publicKey), ...parts.header },
    { aud: publicUrl, iat: seconds(city), nonce, ...parts.payload },
    parts.signer ?? key.signer,
  )
}

export interface AttestationParts extends ProofParts {
  keys: readonly PublicKey[]
}

/** A key attestation by an attester whose key is called `attester`. */
export async function keyAttestation(
  city: TestCity,
  attester: Signer,
  { keys, header, payload, signer }: AttestationParts,
): Promise<string> {
  return signJws(
    { typ: 'key-attestation+jwt', kid: 'attester', ...header },
    { iat: seconds(city), exp: seconds(city) + 3600, attested_keys: keys.map((key) => toPublicJwk(key)), ...payload },
    signer ?? attester,
  )
}

export function askFor(city: TestCity, wallet: Wallet, body: object | string): Promise<Answer> {
  return city.call(wallet, 'POST', '/openid4vci/credential', body)
}

/** Asks with one proof and a fresh nonce for what the wallet's token is for. */
export async function ask(city: TestCity, wallet: Wallet, key: Identity, parts: ProofParts = {}): Promise<Answer> {
  return askFor(city, wallet, {
    credential_identifier: identifierOf(wallet),
    proofs: { jwt: [await jwtProof(city, key, await freshNonce(city), parts)] },
  })
}

/** Header and payload of a compact JWS, or of the JWT of an SD-JWT. */
export function decode(token: string): { header: Record<string, unknown>; payload: Record<string, unknown> } {
  const [header = '', payload = ''] = token.split('.').map((part) => Buffer.from(part, 'base64url').toString())
  return { header: JSON.parse(header), payload: JSON.parse(payload) }
}

export function seconds(city: TestCity): number {
  return Math.floor(city.clock.now.getTime() / 1000)
}

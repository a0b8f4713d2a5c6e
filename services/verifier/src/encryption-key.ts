import { exportJWK, generateKeyPair, type JWK } from 'jose'

/** HAIP 1.0 section 5: verifiers and wallets have both. */
export const contentEncryptions: readonly string[] = ['A128GCM', 'A256GCM']

/** A private key for the response to one request (OpenID4VP 1.0 section 8.3): P-256, `ECDH-ES`, named by its `kid`. */
export async function newEncryptionKey(keyId: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true })
  return { ...(await exportJWK(privateKey)), alg: 'ECDH-ES', use: 'enc', kid: keyId }
}

/** Its public half, as client metadata has it. */
export function publicEncryptionKey(key: JWK): JWK & { kty: string } {
  const { kty, crv, x, y, alg, use, kid } = key
  if (kty !== 'EC' || !crv || !x || !y || !alg || !use || !kid) throw new Error('not a key that was made here')
  return { kty, crv, x, y, alg, use, kid }
}

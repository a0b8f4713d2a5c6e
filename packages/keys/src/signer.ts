import type { webcrypto } from 'node:crypto'
import { getPublicKeyAsync, signAsync } from '@noble/ed25519'
import { toBase64url } from '@tillit/codec'
import { Problem } from '@tillit/problem'
import { importPrivateKey } from '#backend'
import { ed25519PublicKey, type PublicKey, parsePublicJwk } from './public-key.ts'

/** Whatever can sign: a key file, a device's seed, a non-extractable key in a browser, a hardware module. */
export interface Signer {
  readonly alg: 'EdDSA' | 'ES256'
  readonly publicKey: PublicKey
  /** 64 bytes: the RFC 8032 signature, or r ‖ s for ES256. */
  sign(message: Uint8Array): Promise<Uint8Array>
}

export interface PrivateJwk {
  kty: 'OKP' | 'EC'
  crv: 'Ed25519' | 'P-256'
  x: string
  y?: string
  d: string
}

/** Signs with @noble/ed25519, which needs nothing of its platform: made for devices. `seed` is the 32 secret bytes. */
export async function signerFromSeed(seed: Uint8Array): Promise<Signer> {
  const publicKey = ed25519PublicKey(await getPublicKeyAsync(seed))
  return { alg: 'EdDSA', publicKey, sign: (message) => signAsync(message, seed) }
}

/** Signs with a WebCrypto key pair (browser or Node); the private key may be non-extractable. */
export async function signerFromCryptoKeyPair(pair: webcrypto.CryptoKeyPair): Promise<Signer> {
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', pair.publicKey)
  const publicKey = parsePublicJwk({ kty, crv, x, y })
  const algorithm = publicKey.alg === 'EdDSA' ? { name: 'Ed25519' } : { name: 'ECDSA', hash: 'SHA-256' }
  return {
    alg: publicKey.alg,
    publicKey,
    sign: async (message) =>
      new Uint8Array(await crypto.subtle.sign(algorithm, pair.privateKey, message as Uint8Array<ArrayBuffer>)),
  }
}

/** Imports a private JWK. Throws Problem invalid-key when its halves do not belong together. */
export async function signerFromJwk(jwk: PrivateJwk): Promise<Signer> {
  const publicKey = parsePublicJwk({ kty: jwk.kty, crv: jwk.crv, x: jwk.x, y: jwk.y })
  try {
    return { alg: publicKey.alg, publicKey, sign: await importPrivateKey(jwk, publicKey) }
  } catch (cause) {
    throw new Problem('invalid-key', { detail: 'The private key does not belong to its public half', cause })
  }
}

/** A new private JWK, to be stored by the caller. */
export async function generatePrivateJwk(alg: 'EdDSA' | 'ES256' = 'EdDSA'): Promise<PrivateJwk> {
  const algorithm = alg === 'EdDSA' ? { name: 'Ed25519' } : { name: 'ECDSA', namedCurve: 'P-256' }
  const pair = (await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair
  const { kty, crv, x, y, d } = await crypto.subtle.exportKey('jwk', pair.privateKey)
  return { kty, crv, x, ...(y === undefined ? {} : { y }), d } as PrivateJwk
}

/** A private JWK from 32 secret Ed25519 bytes, so that a seed can be kept as one. */
export async function privateJwkFromSeed(seed: Uint8Array): Promise<PrivateJwk> {
  return { kty: 'OKP', crv: 'Ed25519', x: toBase64url(await getPublicKeyAsync(seed)), d: toBase64url(seed) }
}

import type { PrivateJwk } from '@tillit/keys'

export type KeyAlgorithm = 'EdDSA' | 'ES256' | 'ML-DSA-44' | 'ES256K'

/** Where a version of a key is: its private half here, sealed, or in the token with only the public half here. */
export type HeldKey =
  | { readonly held: 'jwk'; readonly jwk: PrivateJwk }
  /** Seed of an ML-DSA-44 key or secret of a secp256k1 key, base64url. */
  | { readonly held: 'secret'; readonly secret: string }
  /** CKA_ID in hexadecimal, and the public key, base64url: SEC 1 or RFC 8032. */
  | { readonly held: 'token'; readonly id: string; readonly publicKey: string }

export interface KeyVersion {
  readonly version: number
  readonly created: string
  /** End of the overlap; null for the active version. */
  readonly ends: string | null
  readonly key: HeldKey
}

/** All versions of one key, the active one first. One file, so a rotation happens or does not. */
export interface KeyRecord {
  readonly alg: KeyAlgorithm
  /** Some library needs the private half itself, so no version may go into a token. */
  readonly exportable: boolean
  readonly versions: readonly [KeyVersion, ...KeyVersion[]]
}

export const recordSuffix = '.key'

export function hasEnded({ ends }: KeyVersion, now: Date): boolean {
  return ends !== null && Date.parse(ends) <= now.getTime()
}

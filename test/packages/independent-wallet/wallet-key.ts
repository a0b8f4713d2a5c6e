import { createPrivateKey, sign } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose'

export type WalletAlgorithm = 'ES256' | 'EdDSA'

export type PublicJwk = { kty: string; crv: string; x: string; y?: string }
export type PrivateJwk = PublicJwk & { d: string }

/** A private key of the wallet, in the clear: this wallet lives in tests only. */
export interface WalletKey {
  alg: WalletAlgorithm
  privateJwk: PrivateJwk
  publicJwk: PublicJwk
  thumbprint: string
}

export async function createWalletKey(alg: WalletAlgorithm): Promise<WalletKey> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true })
  const { kty = '', crv = '', x = '', y, d = '' } = await exportJWK(privateKey)
  return walletKeyFrom({ kty, crv, x, ...(y === undefined ? {} : { y }), d })
}

export async function walletKeyFrom(privateJwk: PrivateJwk): Promise<WalletKey> {
  const { d: _secret, ...publicJwk } = privateJwk
  const alg = privateJwk.kty === 'OKP' ? 'EdDSA' : 'ES256'
  return { alg, privateJwk, publicJwk, thumbprint: await calculateJwkThumbprint(publicJwk) }
}

/** A compact JWS (RFC 7515) over any header. */
export function signCompact(key: WalletKey, header: object, payload: object): string {
  const parts = [{ ...header, alg: key.alg }, payload]
  const input = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  return `${input}.${signBytes(key, input)}`
}

/** The signature of a JWS over its first two parts, base64url. */
export function signBytes({ alg, privateJwk }: WalletKey, input: string): string {
  const key = createPrivateKey({ key: { ...privateJwk }, format: 'jwk' })
  const signature = sign(alg === 'EdDSA' ? null : 'sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
  return signature.toString('base64url')
}

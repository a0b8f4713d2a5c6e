import { createHash, randomBytes } from 'node:crypto'
import type { CallbackContext, ClientAuthenticationCallback, Jwk, JwtSigner } from '@openid4vc/oauth2'
import { CompactEncrypt, calculateJwkThumbprint, compactVerify, importJWK } from 'jose'
import { signCompact, type WalletKey } from './wallet-key.ts'

interface Keys {
  /** Every key of the wallet. */
  all(): readonly WalletKey[]
  /** The key behind a DID URL of the holder. */
  identity: { didUrl: string; key: WalletKey } | null
}

/** What the OpenID4VC libraries leave to the wallet: hashing, signing, verifying, encrypting; all by jose and node:crypto. */
export function createCallbacks(
  keys: Keys,
  resolverUrl: string,
  clientAuthentication: ClientAuthenticationCallback,
): CallbackContext {
  return {
    fetch,
    clientAuthentication,
    generateRandom: (length) => new Uint8Array(randomBytes(length)),
    hash: (data, alg) => new Uint8Array(createHash(alg.replace('-', '')).update(data).digest()),
    async signJwt(signer, { header, payload }) {
      const key = await keyFor(signer, keys)
      return { jwt: signCompact(key, header, payload), signerJwk: key.publicJwk }
    },
    async verifyJwt(signer, { compact, header }) {
      const jwk = await publicKeyOf(signer, resolverUrl)
      try {
        await compactVerify(compact, await importJWK(jwk, header.alg))
        return { verified: true, signerJwk: { ...jwk } }
      } catch {
        return { verified: false }
      }
    },
    async encryptJwe({ publicJwk, alg, enc }, data) {
      const header = { alg, enc, ...(publicJwk.kid === undefined ? {} : { kid: publicJwk.kid }) }
      const jwe = await new CompactEncrypt(new TextEncoder().encode(data))
        .setProtectedHeader(header)
        .encrypt(await importJWK(plain(publicJwk), alg))
      return { jwe, encryptionJwk: publicJwk }
    },
    decryptJwe: () => ({ decrypted: false }),
  }
}

async function keyFor(signer: JwtSigner, { all, identity }: Keys): Promise<WalletKey> {
  if (signer.method === 'did' && identity !== null && signer.didUrl === identity.didUrl) return identity.key
  if (signer.method === 'jwk') {
    const wanted = await calculateJwkThumbprint(plain(signer.publicJwk))
    const key = all().find(({ thumbprint }) => thumbprint === wanted)
    if (key !== undefined) return key
  }
  throw new Error(`the wallet has no key to sign by ${signer.method}`)
}

/** A key that came along, or one of a DID. */
async function publicKeyOf(signer: JwtSigner, resolverUrl: string): Promise<ResolvedJwk> {
  if (signer.method === 'jwk') return plain(signer.publicJwk)
  if (signer.method !== 'did') throw new Error(`${signer.method} is not known to this wallet`)
  return resolvePublicKey(signer.didUrl, resolverUrl)
}

/** As a DID document has it. */
export type ResolvedJwk = { kty: string; crv?: string; x?: string; y?: string }

/** The key behind a DID URL, asked of a resolver (DID Resolution, HTTP binding). */
export async function resolvePublicKey(didUrl: string, resolverUrl: string): Promise<ResolvedJwk> {
  const did = didUrl.slice(0, didUrl.indexOf('#'))
  const reply = await fetch(`${resolverUrl}/1.0/identifiers/${encodeURIComponent(did)}`, {
    headers: { accept: 'application/did' },
  })
  const document = (await reply.json()) as {
    verificationMethod?: { id: string; publicKeyMultibase?: string; publicKeyJwk?: ResolvedJwk }[]
  }
  const method = document.verificationMethod?.find(({ id }) => id === didUrl)
  const jwk = method?.publicKeyJwk ?? (method?.publicKeyMultibase && ed25519FromMultikey(method.publicKeyMultibase))
  if (!jwk) throw new Error(`${didUrl} names no key`)
  return jwk
}

const base58Alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

/** `z6Mk…`: base58 of the bytes ed 01 and the 32 bytes of the key (W3C Controlled Identifiers, Multikey). */
function ed25519FromMultikey(multikey: string): ResolvedJwk {
  let number = 0n
  for (const sign of multikey.slice(1)) number = number * 58n + BigInt(base58Alphabet.indexOf(sign))
  const bytes = Buffer.from(number.toString(16), 'hex')
  if (bytes.length !== 34 || bytes[0] !== 0xed || bytes[1] !== 0x01) throw new Error('not an Ed25519 multikey')
  return { kty: 'OKP', crv: 'Ed25519', x: bytes.subarray(2).toString('base64url') }
}

function plain({ kty, crv, x, y }: Jwk): ResolvedJwk {
  return {
    kty,
    ...(crv === undefined ? {} : { crv }),
    ...(x === undefined ? {} : { x }),
    ...(y === undefined ? {} : { y }),
  }
}

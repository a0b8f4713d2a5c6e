import { concat, fromBase58, fromBase64url, sha256, toBase58, toBase64url, utf8 } from '@tillit/codec'
import { Problem } from '@tillit/problem'
import type { PublicJwk } from '@tillit/schemas'
import { checkP256Point, decompressP256 } from '#backend'
import { RecentKeys } from './recent-keys.ts'
import { refuseWeakEd25519 } from './weak-key.ts'

/**
 * A public key that may be trusted to bind its holder: parsed, on the curve, of large order, canonical. `bytes` is the
 * RFC 8032 encoding for EdDSA (32 bytes) and the compressed point for ES256 (33 bytes). Made only by the parse functions.
 */
export interface PublicKey {
  readonly alg: 'EdDSA' | 'ES256'
  readonly bytes: Uint8Array
}

/** Keys remembered, so that one key is one object: its import and its thumbprint hang on that. */
const remembered = new RecentKeys()
/** The same keys by their multikey: an entry of a DID's log names one key several times. */
const rememberedMultikeys = new RecentKeys()

const ed25519Prefix = Uint8Array.of(0xed, 0x01)
const p256Prefix = Uint8Array.of(0x80, 0x24)

/** Throws Problem invalid-key, weak-key or unsupported-algorithm. Private members are refused, not ignored. */
export function parsePublicJwk(jwk: Record<string, unknown>): PublicKey {
  if ('d' in jwk) throw new Problem('invalid-key', { detail: 'A private key was given where a public one belongs' })
  if (jwk.kty === 'OKP' && jwk.crv === 'Ed25519') return ed25519PublicKey(coordinate(jwk.x, 'x'))
  if (jwk.kty === 'EC' && jwk.crv === 'P-256') {
    return p256PublicKey(concat(Uint8Array.of(4), coordinate(jwk.x, 'x'), coordinate(jwk.y, 'y')))
  }
  throw new Problem('unsupported-algorithm', { detail: 'Only Ed25519 and P-256 keys are accepted' })
}

/** Parses a Multikey `z6Mk…` or `zDn…` (W3C Controlled Identifiers). Throws Problem invalid-key, weak-key or unsupported-algorithm. */
export function parseMultikey(multikey: string): PublicKey {
  const known = rememberedMultikeys.get(multikey)
  if (known) return known
  const key = decodeMultikey(multikey)
  rememberedMultikeys.set(multikey, key)
  return key
}

function decodeMultikey(multikey: string): PublicKey {
  if (!multikey.startsWith('z')) throw new Problem('invalid-key', { detail: 'A multikey starts with z' })
  const bytes = decodeOrInvalid(() => fromBase58(multikey.slice(1)))
  if (bytes[0] === ed25519Prefix[0] && bytes[1] === ed25519Prefix[1]) return ed25519PublicKey(bytes.slice(2))
  if (bytes[0] === p256Prefix[0] && bytes[1] === p256Prefix[1]) {
    // The multikey of a P-256 key is its compressed point; another form would be a second name for one key.
    if (bytes.length !== 35) throw new Problem('invalid-key', { detail: 'A P-256 multikey holds a compressed point' })
    return p256PublicKey(bytes.slice(2))
  }
  throw new Problem('unsupported-algorithm', { detail: 'Only Ed25519 and P-256 keys are accepted' })
}

/** From the 32 bytes of RFC 8032. Throws Problem invalid-key or weak-key. */
export function ed25519PublicKey(bytes: Uint8Array): PublicKey {
  return remember('EdDSA', bytes, () => {
    refuseWeakEd25519(bytes)
    // A copy, so that whoever handed the bytes over cannot change the key that others are given (a Buffer's slice is none).
    return Uint8Array.from(bytes)
  })
}

/** From a SEC 1 point, compressed (33 bytes) or not (65). Throws Problem invalid-key. */
export function p256PublicKey(point: Uint8Array): PublicKey {
  return remember('ES256', point, () => {
    const compressed = point.length === 33 && (point[0] === 2 || point[0] === 3)
    // Hybrid forms (06, 07) and the point at infinity are read by some libraries only.
    if (!compressed && !(point.length === 65 && point[0] === 4))
      throw new Problem('invalid-key', { detail: 'The P-256 key is not a SEC 1 point' })
    return checkP256Point(point)
  })
}

/** What `check` throws is not remembered. */
function remember(alg: PublicKey['alg'], encoded: Uint8Array, check: () => Uint8Array): PublicKey {
  const name = `${alg} ${toBase64url(encoded)}`
  const known = remembered.get(name)
  if (known) return known
  const key: PublicKey = { alg, bytes: check() }
  remembered.set(name, key)
  return key
}

export function toMultikey(key: PublicKey): string {
  return `z${toBase58(concat(key.alg === 'EdDSA' ? ed25519Prefix : p256Prefix, key.bytes))}`
}

export function toPublicJwk(key: PublicKey): PublicJwk {
  if (key.alg === 'EdDSA') return { kty: 'OKP', crv: 'Ed25519', x: toBase64url(key.bytes) }
  const point = decompressP256(key.bytes)
  return { kty: 'EC', crv: 'P-256', x: toBase64url(point.slice(1, 33)), y: toBase64url(point.slice(33, 65)) }
}

/** A chain or a proof of possession asks for the thumbprint of the same key again and again. */
const thumbprints = new WeakMap<PublicKey, string>()

/** JWK thumbprint with SHA-256 (RFC 7638), base64url. */
export function thumbprint(key: PublicKey): string {
  const known = thumbprints.get(key)
  if (known !== undefined) return known
  const text = computeThumbprint(key)
  thumbprints.set(key, text)
  return text
}

function computeThumbprint(key: PublicKey): string {
  const jwk = toPublicJwk(key)
  const members =
    jwk.kty === 'OKP'
      ? `{"crv":"Ed25519","kty":"OKP","x":"${jwk.x}"}`
      : `{"crv":"P-256","kty":"EC","x":"${jwk.x}","y":"${jwk.y}"}`
  return toBase64url(sha256(utf8(members)))
}

function coordinate(value: unknown, name: string): Uint8Array {
  if (typeof value !== 'string')
    throw new Problem('invalid-key', { detail: `The member ${name} of the key is missing` })
  const bytes = decodeOrInvalid(() => fromBase64url(value))
  if (bytes.length !== 32)
    throw new Problem('invalid-key', { detail: `The member ${name} of the key is not 32 bytes long` })
  return bytes
}

function decodeOrInvalid(decode: () => Uint8Array): Uint8Array {
  try {
    return decode()
  } catch (cause) {
    throw new Problem('invalid-key', { detail: 'The key is not encoded correctly', cause })
  }
}

import { verifyRaw } from '#backend'
import type { PublicKey } from './public-key.ts'
import { hasSmallOrder } from './weak-key.ts'

/**
 * Whether the 64-byte signature is the key's over the message: EdDSA by libsodium's rules (RFC 8032, S canonical, no R of
 * small order, cofactorless), ES256 as r ‖ s (RFC 7518 section 3.4). Never throws on a bad signature.
 */
export function verifySignature(key: PublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== 64) return false
  if (key.alg === 'EdDSA' && hasSmallOrder(signature)) return false
  return verifyRaw(key, message, signature)
}

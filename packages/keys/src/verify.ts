import { verifyRaw, verifyRawAsync } from '#backend'
import type { PublicKey } from './public-key.ts'
import { hasSmallOrder } from './weak-key.ts'

/**
 * Whether the 64-byte signature is the key's over the message: EdDSA by libsodium's rules (RFC 8032, S canonical, no R of
 * small order, cofactorless), ES256 as r ‖ s (RFC 7518 section 3.4). Never throws on a bad signature.
 */
export function verifySignature(key: PublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  return mayVerify(key, signature) && verifyRaw(key, message, signature)
}

/**
 * The same verdict as verifySignature, reached beside the event loop where the platform has threads for it: many at once
 * take as many cores as there are. Keep the bytes unchanged until it answers.
 */
export async function verifySignatureAsync(
  key: PublicKey,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  return mayVerify(key, signature) && (await verifyRawAsync(key, message, signature))
}

/** What is refused before any arithmetic, the same on every platform. */
export function mayVerify(key: PublicKey, signature: Uint8Array): boolean {
  return signature.length === 64 && !(key.alg === 'EdDSA' && hasSmallOrder(signature))
}

import { sha256, toBase64url, utf8 } from '@tillit/codec'
import { Problem } from '@tillit/problem'
import type { Context } from './ports.ts'
import type { Writer } from './store.ts'

/** How long a nonce waits to be used, in milliseconds. */
const lifeMilliseconds = 5 * 60_000

const nonceBytes = 32

/** OpenID4VCI 1.0 section 7: a fresh nonce, usable once. Only its digest is kept. */
export async function issueNonce({ store, now, randomBytes }: Context): Promise<{ c_nonce: string }> {
  const nonce = toBase64url(randomBytes(nonceBytes))
  await store.addNonce(digestOf(nonce), new Date(now().getTime() + lifeMilliseconds))
  return { c_nonce: nonce }
}

/**
 * Uses a nonce up, in the transaction that issues for it: when that fails, the nonce is free again. Throws Problem
 * invalid-nonce.
 */
export async function consumeNonce(writer: Writer, nonce: string, now: Date): Promise<void> {
  if (!(await writer.consumeNonce(digestOf(nonce), now))) throw new Problem('invalid-nonce')
}

function digestOf(nonce: string): Uint8Array {
  return sha256(utf8(nonce))
}

import { sha256, toBase64url, utf8 } from '@tillit/codec'
import type { Context } from '../ports.ts'

const secretBytes = 32

/** A secret that stands for something here: told once, kept as its SHA-256. */
export function newSecret({ randomBytes }: Pick<Context, 'randomBytes'>): { secret: string; digest: Uint8Array } {
  const secret = toBase64url(randomBytes(secretBytes))
  return { secret, digest: digestOf(secret) }
}

export function digestOf(secret: string): Uint8Array {
  return sha256(utf8(secret))
}

import { randomBytes, scrypt } from 'node:crypto'
import { fromBase64url, toBase64url, utf8 } from '@tillit/codec'
import { Problem } from '@tillit/problem'

/** How the passphrase becomes a key (RFC 7914); kept beside what the key seals. */
export interface KeyDerivation {
  readonly name: 'scrypt'
  readonly N: number
  readonly r: number
  readonly p: number
  /** base64url */
  readonly salt: string
}

/** Of the equally strong settings in OWASP's password storage guidance the one that takes 32 MiB; about 0.2 s. */
const cost = { N: 2 ** 15, r: 8, p: 3 } as const
const saltBytes = 16
const keyBytes = 32

/** What a header may ask for at most, so that a damaged one cannot take all memory. */
const most = { N: 2 ** 20, r: 16, p: 16 } as const

export const minPassphraseCharacters = 16

export function newDerivation(): KeyDerivation {
  return { name: 'scrypt', ...cost, salt: toBase64url(randomBytes(saltBytes)) }
}

export function isDerivation(value: unknown): value is KeyDerivation {
  if (typeof value !== 'object' || value === null) return false
  const { name, N, r, p, salt } = value as Record<string, unknown>
  const within = (number: unknown, limit: number) =>
    Number.isInteger(number) && Number(number) > 0 && Number(number) <= limit
  return name === 'scrypt' && within(N, most.N) && within(r, most.r) && within(p, most.p) && typeof salt === 'string'
}

/** Throws Problem invalid-configuration for a passphrase that is too short. */
export async function deriveKey(passphrase: string, { N, r, p, salt }: KeyDerivation): Promise<Uint8Array> {
  if (passphrase.length < minPassphraseCharacters)
    throw new Problem('invalid-configuration', {
      detail: `The passphrase of the keys has fewer than ${minPassphraseCharacters} characters`,
    })
  // Node refuses more than 32 MiB unless told; scrypt takes 128 × N × r bytes and a little.
  const maxmem = 128 * N * r + 64 * 1024 * 1024
  return new Promise((done, fail) =>
    scrypt(utf8(passphrase.normalize('NFC')), fromBase64url(salt), keyBytes, { N, r, p, maxmem }, (error, key) =>
      error === null ? done(new Uint8Array(key)) : fail(error),
    ),
  )
}

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fromBase64, fromHex } from '@tillit/codec'
import { isProblem } from '@tillit/problem'
import * as browser from './backend-browser.ts'
import * as node from './backend-node.ts'
import type { PublicKey } from './public-key.ts'
import { mayVerify, verifySignatureAsync } from './verify.ts'

export interface Vector {
  readonly name: string
  readonly key: Uint8Array
  readonly message: Uint8Array
  readonly signature: Uint8Array
  readonly verdict: boolean
}

interface VectorFile {
  encoding: 'hex' | 'base64'
  keys: { key: string; signatures: { name: string; message: string; signature: string; verdict: boolean }[] }[]
}

/** The vectors of test/vectors/keys/<name>.json, one for each signature. */
export function readVectors(name: string): Vector[] {
  const { encoding, keys } = JSON.parse(readFileSync(vectorFile(name), 'utf8')) as VectorFile
  const bytes = encoding === 'hex' ? fromHex : fromBase64
  return keys.flatMap(({ key, signatures }) =>
    signatures.map((entry) => ({
      name: entry.name,
      key: bytes(key),
      message: bytes(entry.message),
      signature: bytes(entry.signature),
      verdict: entry.verdict,
    })),
  )
}

export function vectorFile(name: string): URL {
  return new URL(`../../../test/vectors/keys/${name}.json`, import.meta.url)
}

export interface Verdicts {
  node: boolean
  browser: boolean
  async: boolean
}

/** What each way to verify says. A key that may not be one at all makes every verdict false. */
export async function verdictsOf(
  parse: (bytes: Uint8Array) => PublicKey,
  { key, message, signature }: Omit<Vector, 'name' | 'verdict'>,
): Promise<Verdicts> {
  const parsed = parseOrNull(() => parse(key))
  if (!parsed) return { node: false, browser: false, async: false }
  const may = mayVerify(parsed, signature)
  return {
    node: may && node.verifyRaw(parsed, message, signature),
    browser: may && browser.verifyRaw(parsed, message, signature),
    async: await verifySignatureAsync(parsed, message, signature),
  }
}

/** What the way beside the event loop says alone: many at once go another way than one. */
export async function verdictBeside(
  parse: (bytes: Uint8Array) => PublicKey,
  { key, message, signature }: Omit<Vector, 'name' | 'verdict'>,
): Promise<boolean> {
  const parsed = parseOrNull(() => parse(key))
  return parsed !== null && verifySignatureAsync(parsed, message, signature)
}

function parseOrNull<Key>(parse: () => Key): Key | null {
  try {
    return parse()
  } catch (error) {
    if (isProblem(error)) return null
    throw error
  }
}

interface Sodium {
  crypto_sign_verify_detached(signature: Buffer, message: Buffer, key: Buffer): boolean
}

/** libsodium itself, the oracle for Ed25519; null, and a word on why, where its native module does not load. */
export function loadLibsodium(): ((vector: Omit<Vector, 'name' | 'verdict'>) => boolean) | null {
  let sodium: Sodium
  try {
    sodium = createRequire(import.meta.url)('sodium-native') as Sodium
  } catch (error) {
    console.error(`sodium-native does not load here (${error}): Ed25519 is held to the recorded verdicts only`)
    return null
  }
  // The binding looks at the first 64 bytes of a signature and is content with more.
  return ({ key, message, signature }) =>
    signature.length === 64 &&
    sodium.crypto_sign_verify_detached(Buffer.from(signature), Buffer.from(message), Buffer.from(key))
}

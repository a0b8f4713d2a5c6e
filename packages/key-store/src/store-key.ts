import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fromBase64url, toBase64url, toHex } from '@tillit/codec'
import { Problem } from '@tillit/problem'
import { deriveKey, isDerivation, type KeyDerivation, newDerivation } from './passphrase-key.ts'
import { type Sealed, seal, unseal } from './seal.ts'
import { writeDurably } from './write-durably.ts'

/** The file with the keys that seal the others, itself sealed with the passphrase. */
export const storeKeyFile = 'store-key.json'
const format = 'tillit-store-key/1'

/** A random key that seals the files of a folder, so that a new passphrase need not change them all at one instant. */
export interface StoreKey {
  readonly id: string
  readonly bytes: Uint8Array
}

/** The first one seals; others open what a re-sealing that was interrupted has left. */
export type StoreKeys = readonly [StoreKey, ...StoreKey[]]

export function newStoreKey(): StoreKey {
  return { id: toHex(randomBytes(8)), bytes: new Uint8Array(randomBytes(32)) }
}

/** The folder's keys, or null when it has none yet. Throws Problem invalid-configuration when they cannot be opened. */
export async function readStoreKeys(folder: string, passphrase: string): Promise<StoreKeys | null> {
  const text = await readFile(join(folder, storeKeyFile), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (text === null) return null
  const { kdf, sealed } = parseFile(text)
  const opened = unseal(await deriveKey(passphrase, kdf), contextOf(kdf), sealed)
  if (opened === null)
    throw new Problem('invalid-configuration', {
      detail: `The passphrase does not open ${storeKeyFile}: give the one that the keys were sealed with. If it is that one, the file is damaged; put back a copy of it`,
    })
  const [first, ...others] = (JSON.parse(opened) as { id: string; key: string }[]).map(({ id, key }) => ({
    id,
    bytes: fromBase64url(key),
  }))
  if (first === undefined) throw damaged()
  return [first, ...others]
}

export async function writeStoreKeys(folder: string, keys: StoreKeys, passphrase: string): Promise<void> {
  const kdf = newDerivation()
  const text = JSON.stringify(keys.map(({ id, bytes }) => ({ id, key: toBase64url(bytes) })))
  const sealed = seal(await deriveKey(passphrase, kdf), contextOf(kdf), text)
  await writeDurably(join(folder, storeKeyFile), `${JSON.stringify({ format, kdf, ...sealed })}\n`)
}

function contextOf({ N, r, p, salt }: KeyDerivation): string {
  return `${format} scrypt ${N} ${r} ${p} ${salt}`
}

function parseFile(text: string): { kdf: KeyDerivation; sealed: Sealed } {
  let file: unknown
  try {
    file = JSON.parse(text)
  } catch {
    throw damaged()
  }
  if (typeof file !== 'object' || file === null) throw damaged()
  const { format: found, kdf, nonce, data } = file as Record<string, unknown>
  if (found !== format || !isDerivation(kdf) || typeof nonce !== 'string' || typeof data !== 'string') throw damaged()
  return { kdf, sealed: { nonce, data } }
}

function damaged(): Problem {
  return new Problem('invalid-configuration', {
    detail: `The key file ${storeKeyFile} is damaged; put it back from a copy of the folder`,
  })
}

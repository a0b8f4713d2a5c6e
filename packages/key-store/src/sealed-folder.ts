import { mkdir, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Problem } from '@tillit/problem'
import { inTurn } from './in-turn.ts'
import { seal, unseal } from './seal.ts'
import { newStoreKey, readStoreKeys, type StoreKeys, storeKeyFile, writeStoreKeys } from './store-key.ts'
import { removeDurably, writeDurably } from './write-durably.ts'

export const sealedSuffix = '.sealed'
const format = 'tillit-sealed/1'

/** Names every file that was ever made, so that one that is gone is noticed and not made anew. */
const contentsName = 'contents'
const maxFileBytes = 4 * 1024 * 1024
const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/

/** Texts under names, each in a file of its own that is encrypted, and that cannot pass for one of another name. */
export interface SealedFolder {
  /** Null when there never was one. Throws Problem invalid-configuration when it is gone, damaged or another's. */
  read(name: string): Promise<string | null>
  write(name: string, text: string): Promise<void>
  names(): readonly string[]
}

export interface SealedFolderOptions {
  passphrase: string
  /** Looks only: makes nothing, and so may be used while another process has the folder. */
  readOnly?: boolean
}

/**
 * Opens the folder, which belongs to one process at a time. Throws Problem invalid-configuration when the passphrase is
 * not the one it was made with, or when the files that open the others are damaged or gone.
 */
export async function openSealedFolder(
  folder: string,
  { passphrase, readOnly = false }: SealedFolderOptions,
): Promise<SealedFolder> {
  if (!readOnly) await mkdir(folder, { recursive: true, mode: 0o700 })
  const keys = (await readStoreKeys(folder, passphrase)) ?? (await firstKeys(folder, { passphrase, readOnly }))
  const contents = await openContents(folder, { keys, readOnly })
  const turn = inTurn()
  const remember = async (name: string) => {
    if (contents.has(name)) return
    contents.add(name)
    if (!readOnly) await writeSealed(folder, contentsName, { keys, text: JSON.stringify([...contents].sort()) })
  }
  return {
    names: () => [...contents].sort(),
    read: (name) =>
      turn(async () => {
        checkName(name)
        const text = await readSealed(folder, name, keys)
        if (text === null && contents.has(name))
          throw fault(name, 'is gone', 'put it back from a copy of the folder; no other is made in its place')
        // A crash after the file and before the contents leaves one that the contents do not name yet.
        if (text !== null) await remember(name)
        return text
      }),
    write: (name, text) =>
      turn(async () => {
        checkName(name)
        if (readOnly) throw new Error('the folder of keys was opened for reading only')
        await writeSealed(folder, name, { keys, text })
        await remember(name)
      }),
  }
}

/**
 * Seals everything anew, with a new key under the new passphrase. A crash leaves files under the old key and the new one,
 * both of which the new passphrase opens (or, at the very beginning, the old passphrase everything); doing it again ends it.
 */
export async function rewrapFolder(
  folder: string,
  { passphrase, newPassphrase }: { passphrase: string; newPassphrase: string },
): Promise<void> {
  const old = await readStoreKeys(folder, passphrase)
  if (old === null) throw new Problem('invalid-configuration', { detail: `There are no keys in ${folder}` })
  const fresh = newStoreKey()
  const files = await sealedNames(folder)
  // All are opened before the first is changed: what is damaged stays as it is, and so does everything else.
  const texts = await Promise.all(files.map(async (name) => ({ name, text: await readSealed(folder, name, old) })))
  await writeStoreKeys(folder, [fresh, ...old], newPassphrase)
  for (const { name, text } of texts) if (text !== null) await writeSealed(folder, name, { keys: [fresh], text })
  await writeStoreKeys(folder, [fresh], newPassphrase)
}

async function firstKeys(folder: string, { passphrase, readOnly }: Required<SealedFolderOptions>): Promise<StoreKeys> {
  if ((await sealedNames(folder)).length > 0)
    throw new Problem('invalid-configuration', {
      detail: `The key file ${storeKeyFile} is gone, and nothing else opens the others; put it back from a copy of ${folder}`,
    })
  if (readOnly) throw new Problem('invalid-configuration', { detail: `There are no keys in ${folder}` })
  const keys: StoreKeys = [newStoreKey()]
  await writeStoreKeys(folder, keys, passphrase)
  return keys
}

async function openContents(
  folder: string,
  { keys, readOnly }: { keys: StoreKeys; readOnly: boolean },
): Promise<Set<string>> {
  const text = await readSealed(folder, contentsName, keys)
  if (text !== null) return new Set(JSON.parse(text) as string[])
  if ((await sealedNames(folder)).length > 0)
    throw fault(contentsName, 'is gone', 'put it back from a copy of the folder')
  if (!readOnly) await writeSealed(folder, contentsName, { keys, text: '[]' })
  return new Set()
}

async function sealedNames(folder: string): Promise<string[]> {
  const files = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  return files.filter((file) => file.endsWith(sealedSuffix)).map((file) => file.slice(0, -sealedSuffix.length))
}

async function readSealed(folder: string, name: string, keys: StoreKeys): Promise<string | null> {
  const file = join(folder, name + sealedSuffix)
  let text: string
  try {
    if ((await stat(file)).size > maxFileBytes) throw damaged(name)
    text = await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
  const { storeKey, nonce, data } = parseFile(name, text)
  const key = keys.find(({ id }) => id === storeKey)
  if (key === undefined)
    throw fault(name, 'was sealed for another folder of keys', 'put it back from a copy of this folder')
  const opened = unseal(key.bytes, contextOf(name, storeKey), { nonce, data })
  if (opened === null)
    throw fault(name, 'is damaged, or stands in the place of another', 'put it back from a copy of the folder')
  return opened
}

async function writeSealed(
  folder: string,
  name: string,
  { keys: [key], text }: { keys: StoreKeys; text: string },
): Promise<void> {
  const sealed = seal(key.bytes, contextOf(name, key.id), text)
  const file = join(folder, name + sealedSuffix)
  await writeDurably(file, `${JSON.stringify({ format, store_key: key.id, ...sealed })}\n`)
}

/** Removes a file that was never sealed. */
export function removePlain(folder: string, file: string): Promise<void> {
  return removeDurably(join(folder, file))
}

/** The name is authenticated, so a file under another name does not open. */
function contextOf(name: string, storeKey: string): string {
  return `${format} ${storeKey} ${name}`
}

function parseFile(name: string, text: string): { storeKey: string; nonce: string; data: string } {
  let file: unknown
  try {
    file = JSON.parse(text)
  } catch {
    // The cause is left out: it quotes the text.
    throw damaged(name)
  }
  if (typeof file !== 'object' || file === null) throw damaged(name)
  const { format: found, store_key: storeKey, nonce, data } = file as Record<string, unknown>
  if (found !== format || typeof storeKey !== 'string' || typeof nonce !== 'string' || typeof data !== 'string')
    throw damaged(name)
  return { storeKey, nonce, data }
}

function checkName(name: string): void {
  if (!namePattern.test(name) || name === contentsName) throw new Error(`${name} cannot be the name of a key`)
}

function damaged(name: string): Problem {
  return fault(name, 'is damaged', 'put it back from a copy of the folder')
}

function fault(name: string, what: string, remedy: string): Problem {
  return new Problem('invalid-configuration', { detail: `The key file ${name}${sealedSuffix} ${what}; ${remedy}` })
}

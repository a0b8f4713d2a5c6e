import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fromHex, toHex } from '@tillit/codec'
import { type MlDsa44Signer, mlDsa44SignerFromSeed, privateJwkFromSeed, type Signer, signerFromJwk } from '@tillit/keys'
import { diskFiles } from '@tillit/witness'
import { UsageError } from './usage-error.ts'

const seedBytes = 32
const fileName = 'keys.json'

/** Ed25519 for all who verify today, ML-DSA-44 for when that will not be enough. */
export interface WitnessKeyPair {
  /** 1 for the first one; each rotation makes the next. */
  readonly version: number
  readonly signers: readonly [Signer, MlDsa44Signer]
}

/** A witness's name and its keys: the current pair first, then the one before it until that is ended. */
export interface WitnessKeys {
  readonly name: string
  readonly pairs: readonly [WitnessKeyPair, ...WitnessKeyPair[]]
  /** Of all pairs: each cosigns. */
  readonly signers: readonly (Signer | MlDsa44Signer)[]
}

interface SeedPair {
  readonly version: number
  readonly ed25519_seed: string
  readonly ml_dsa_44_seed: string
}

interface KeyFile {
  readonly name: string
  readonly current: SeedPair
  readonly former: SeedPair | null
}

/** Makes the keys of a witness in its folder, readable by its user only. Refuses to replace keys that are there. */
export async function makeWitnessKeys(folder: string, name: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const file = join(folder, fileName)
  const handle = await open(file, 'wx', 0o600).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'EEXIST') throw cause
    throw new UsageError(`${file} is there already. A witness keeps its keys; rotate them with: tillit witness rotate`)
  })
  try {
    await handle.writeFile(textOf({ name, current: newPair(1), former: null }))
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Reads what `makeWitnessKeys` made. Refuses a file that others than its user may read. */
export async function readWitnessKeys(folder: string): Promise<WitnessKeys> {
  const { name, current, former } = await readKeyFile(folder)
  const first = await pairOf(current)
  const pairs = [first, ...(former === null ? [] : [await pairOf(former)])] as const
  return { name, pairs, signers: pairs.flatMap(({ signers }) => signers) }
}

/**
 * Makes the next keys; those of before go on beside them. While there are keys of before already, nothing is made. For whoever
 * holds the folder's lock. Gives whether keys were made.
 */
export async function rotateWitnessKeys(folder: string): Promise<boolean> {
  const { name, current, former } = await readKeyFile(folder)
  if (former !== null) return false
  await replaceKeyFile(folder, { name, current: newPair(current.version + 1), former: current })
  return true
}

/** Deletes the keys of before, if there are any. For whoever holds the folder's lock. Gives whether there were. */
export async function endFormerWitnessKeys(folder: string): Promise<boolean> {
  const { former, ...kept } = await readKeyFile(folder)
  if (former === null) return false
  await replaceKeyFile(folder, { ...kept, former: null })
  return true
}

async function pairOf({ version, ed25519_seed, ml_dsa_44_seed }: SeedPair): Promise<WitnessKeyPair> {
  const ed25519 = await signerFromJwk(await privateJwkFromSeed(fromHex(ed25519_seed)))
  return { version, signers: [ed25519, await mlDsa44SignerFromSeed(fromHex(ml_dsa_44_seed))] }
}

function newPair(version: number): SeedPair {
  const [ed25519_seed, ml_dsa_44_seed] = [toHex(randomBytes(seedBytes)), toHex(randomBytes(seedBytes))]
  return { version, ed25519_seed, ml_dsa_44_seed }
}

/** A crash leaves the old file or the new one; nobody knows the new keys before this returns. */
async function replaceKeyFile(folder: string, keys: KeyFile): Promise<void> {
  const file = join(folder, fileName)
  // One that a crash left behind keeps its permissions when it is written to.
  await diskFiles.remove(`${file}.new`)
  await diskFiles.writeFlushed(`${file}.new`, textOf(keys))
  await diskFiles.rename(`${file}.new`, file)
  await diskFiles.flushFolder(folder)
}

async function readKeyFile(folder: string): Promise<KeyFile> {
  const file = join(folder, fileName)
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new UsageError(`${file} cannot be read. Make the keys of a witness first: tillit witness init --name NAME`, {
      cause,
    })
  })
  const { mode } = await stat(file)
  if ((mode & 0o077) !== 0) throw new UsageError(`${file} can be read by others. Make it private: chmod 600 ${file}`)
  const keys = parseKeys(text)
  if (keys === null) throw new UsageError(`${file} is damaged; put it back from a copy`)
  return keys
}

function textOf({ name, current, former }: KeyFile): string {
  return `${JSON.stringify({ name, ...current, ...(former === null ? {} : { former }) }, null, 2)}\n`
}

/** Null for what is no file of keys. No error is passed on: it could quote a secret. */
function parseKeys(text: string): KeyFile | null {
  try {
    const { name, former, ...current } = JSON.parse(text) as Record<string, unknown>
    const keys = { current: parsePair(current), former: former === undefined ? null : parsePair(former) }
    return typeof name === 'string' ? { name, ...keys } : null
  } catch {
    return null
  }
}

/** Throws for what is none. Files of before the first rotation may name no version. */
function parsePair(value: unknown): SeedPair {
  const { version = 1, ed25519_seed, ml_dsa_44_seed } = value as Record<string, unknown>
  if (typeof version !== 'number' || !Number.isSafeInteger(version) || version < 1) throw new TypeError('no version')
  return { version, ed25519_seed: parseSeed(ed25519_seed), ml_dsa_44_seed: parseSeed(ml_dsa_44_seed) }
}

function parseSeed(value: unknown): string {
  if (typeof value !== 'string' || fromHex(value).length !== seedBytes) throw new TypeError('no seed')
  return value
}

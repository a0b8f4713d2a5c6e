import { parseMultikey } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import { multikeyHash } from './entry-hash.ts'
import { refuseEntry } from './refuse-entry.ts'

export const webvhMethod = 'did:webvh:1.0'

/** Most keys, hashes, witnesses or watchers that one entry may name. The specification sets none; ours bounds the work. */
const maxListItems = 64
const maxWatcherCharacters = 2048
const maxTtlSeconds = 2 ** 31
const defaultTtlSeconds = 3600

export interface WitnessConfig {
  readonly threshold: number
  readonly witnesses: readonly { readonly id: string }[]
}

/** The parameters of one entry, each undefined where the entry does not set it (did:webvh v1.0, "DID Method Parameters"). */
export interface DidParameters {
  readonly method?: string
  readonly scid?: string
  readonly updateKeys?: readonly string[]
  readonly nextKeyHashes?: readonly string[]
  /** null: `{}`, no witnesses. */
  readonly witness?: WitnessConfig | null
  readonly watchers?: readonly string[]
  readonly portable?: boolean
  readonly deactivated?: boolean
  readonly ttlSeconds?: number
}

/**
 * Reads and checks the parameters of an entry. JSON null stands for the default where early logs used it so.
 * Throws Problem invalid-did-log, or weak-key / invalid-key for a key that must not update a DID.
 */
export function readParameters(parameters: Record<string, unknown>): DidParameters {
  let read: DidParameters = {}
  for (const [name, value] of Object.entries(parameters)) read = { ...read, ...readParameter(name, value) }
  return read
}

/** Whether each of the keys was committed to by its hash (pre-rotation). */
export function multikeysCommitted(multikeys: readonly string[], hashes: readonly string[]): boolean {
  return multikeys.every((multikey) => hashes.includes(multikeyHash(multikey)))
}

function readParameter(name: string, value: unknown): DidParameters {
  const pointer = `/parameters/${name}`
  switch (name) {
    case 'method':
      if (value !== webvhMethod) throw refuseEntry(`The method is not ${webvhMethod}`, pointer)
      return { method: webvhMethod }
    case 'scid':
      if (typeof value !== 'string') throw refuseEntry('The SCID is not a text', pointer)
      return { scid: value }
    case 'updateKeys':
      return { updateKeys: readUpdateKeys(readTexts(value, pointer), pointer) }
    case 'nextKeyHashes':
      return { nextKeyHashes: readTexts(value, pointer) }
    case 'watchers':
      return { watchers: readWatchers(readTexts(value, pointer), pointer) }
    case 'witness':
      return { witness: readWitness(value, pointer) }
    case 'portable':
      return { portable: readBoolean(value, pointer) }
    case 'deactivated':
      return { deactivated: readBoolean(value, pointer) }
    case 'ttl':
      return { ttlSeconds: readTtl(value, pointer) }
    default:
      throw refuseEntry('The parameter is not one of did:webvh v1.0', pointer)
  }
}

function readUpdateKeys(keys: readonly string[], pointer: string): readonly string[] {
  keys.forEach((multikey, index) => {
    readEd25519(multikey, `${pointer}/${index}`)
  })
  return keys
}

/** Absolute URLs: a watcher may be named by another scheme than HTTP(S), a DID for example. */
function readWatchers(urls: readonly string[], pointer: string): readonly string[] {
  urls.forEach((url, index) => {
    if (url.length > maxWatcherCharacters || !URL.canParse(url))
      throw refuseEntry('The watcher is not a URL', `${pointer}/${index}`)
  })
  return urls
}

function readEd25519(multikey: string, pointer: string): void {
  const key = atPointer(pointer, () => parseMultikey(multikey))
  // eddsa-jcs-2022 is the only suite of v1.0, so another key could never sign.
  if (key.alg !== 'EdDSA') throw refuseEntry('The key is not an Ed25519 key', pointer)
}

/** {@link DidParameters.witness}: did:key of Ed25519 keys, each once, and a threshold that they can reach. */
function readWitness(value: unknown, pointer: string): WitnessConfig | null {
  if (value === null || (isObject(value) && Object.keys(value).length === 0)) return null
  if (!isObject(value)) throw refuseEntry('The witness parameter is not an object', pointer)
  const { threshold, witnesses, ...others } = value
  if (Object.keys(others).length > 0) throw refuseEntry('The witness parameter has an unknown member', pointer)
  if (!Array.isArray(witnesses) || witnesses.length === 0 || witnesses.length > maxListItems)
    throw refuseEntry(`The witnesses are not a list of 1 to ${maxListItems}`, pointer)
  const ids = witnesses.map((witness: unknown, index) => readWitnessId(witness, `${pointer}/witnesses/${index}`))
  if (new Set(ids).size !== ids.length) throw refuseEntry('A witness stands twice', pointer)
  if (typeof threshold !== 'number' || !Number.isInteger(threshold) || threshold < 1 || threshold > ids.length)
    throw refuseEntry('The threshold is not between 1 and the number of witnesses', pointer)
  return { threshold, witnesses: ids.map((id) => ({ id })) }
}

function readWitnessId(witness: unknown, pointer: string): string {
  if (!isObject(witness) || typeof witness.id !== 'string' || Object.keys(witness).length !== 1)
    throw refuseEntry('A witness is an object with an id', pointer)
  if (!witness.id.startsWith('did:key:')) throw refuseEntry('A witness is named by its did:key', pointer)
  readEd25519(witness.id.slice('did:key:'.length), pointer)
  return witness.id
}

function readTexts(value: unknown, pointer: string): readonly string[] {
  if (value === null) return []
  if (!Array.isArray(value) || value.length > maxListItems)
    throw refuseEntry(`The parameter is not a list of at most ${maxListItems}`, pointer)
  const texts = value.filter((item): item is string => typeof item === 'string')
  if (texts.length !== value.length || new Set(texts).size !== texts.length)
    throw refuseEntry('The list holds something else than texts, or one twice', pointer)
  return texts
}

function readBoolean(value: unknown, pointer: string): boolean {
  if (typeof value !== 'boolean') throw refuseEntry('The parameter is not true or false', pointer)
  return value
}

function readTtl(value: unknown, pointer: string): number {
  if (value === null) return defaultTtlSeconds
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > maxTtlSeconds)
    throw refuseEntry('The time to live is not a number of seconds', pointer)
  return value
}

/** Adds to a key's Problem where the key stood. */
export function atPointer<T>(pointer: string, parse: () => T): T {
  try {
    return parse()
  } catch (cause) {
    if (cause instanceof Problem) throw new Problem(cause.code, { detail: cause.message, pointer, cause })
    throw cause
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

import { createDid, type DidState, nextDidState, rotateDid } from '@tillit/did'
import type { KeyStore } from '@tillit/key-store'
import { type PrivateJwk, type Signer, toMultikey } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import type { DidLogEntry } from '@tillit/schemas'

/** A DID whose key this process holds, with the entries that the registry is asked to accept. */
export interface Identity {
  name: string
  did: string
  keyId: string
  signer: Signer
  /** Null where the key is not to leave the key store. */
  privateJwk: PrivateJwk | null
  genesis: DidLogEntry
  /** Later entries, in their order. */
  updates: readonly DidLogEntry[]
}

/** One whose key may be handed to a device or a command line. */
export interface PortableIdentity extends Identity {
  privateJwk: PrivateJwk
}

export interface IdentityOptions {
  /** Host part of the DID. */
  host: string
  /** Last part of the DID; opaque for whoever is unlisted. */
  slug: string
  now: Date
}

interface StoredIdentity {
  did: string
  /** All entries, the first one first. */
  entries: DidLogEntry[]
}

/** As it was stored before its history could have more than one entry. */
interface FirstStoredIdentity {
  did: string
  genesis: DidLogEntry
}

/** Entries of the city's own identities are signed by a key of its own, so that a signing key cannot change the DID. */
export function updateKeyOf(name: string): string {
  return `${name}-update`
}

/** The identity kept under that name; made on first use, the same one ever after. */
export async function openIdentity(keys: KeyStore, name: string, options: IdentityOptions): Promise<PortableIdentity> {
  const [privateJwk] = await keys.privateJwks(name)
  if (privateJwk === undefined) throw new Error(`the key ${name} has no active version`)
  const signer = await keys.signer(name)
  const stored = await openStored(keys, name, () => createDid({ ...place(options), signer }))
  return { ...identityOf(name, stored, { signer, now: options.now }), privateJwk }
}

/**
 * An identity of the city itself; made on first use. Its DID follows its keys: when they were rotated, an entry puts the new
 * one in, and the old one stays a verification method until its overlap ends. The entry is stored before anyone sees it,
 * so a crash repeats the same one. The next update key is not committed to beforehand: it would lie in the same
 * store as this one. Throws Problem invalid-configuration when no key is left that may update the DID.
 */
export async function openCityIdentity(
  keys: KeyStore,
  name: string,
  { exportable, ...options }: IdentityOptions & { exportable: boolean },
): Promise<Identity> {
  const privateJwk = exportable ? await exportableJwk(keys, name) : null
  const signers = await keys.signers(name)
  const signer = await keys.signer(name)
  const update = await keys.signer(updateKeyOf(name))
  const wanted = signers.map(({ publicKey }) => publicKey)
  const stored = await openStored(keys, name, () => createDid({ ...place(options), signer: update, keys: wanted }))
  const now = laterOf(options.now, stored.entries)
  const state = stateOf(stored, now)
  const isCurrent =
    sameKeys(state.updateKeys, [toMultikey(update.publicKey)]) && sameKeys(multikeysIn(state), wanted.map(toMultikey))
  if (!isCurrent) {
    const candidates = [...(await keys.signers(updateKeyOf(name))), ...signers]
    const by = candidates.find(({ publicKey }) => state.updateKeys.includes(toMultikey(publicKey)))
    if (by === undefined)
      throw new Problem('invalid-configuration', {
        detail: `No key that may update the DID of the ${name} is left: put back the keys as they were before they were rotated`,
      })
    stored.entries.push(await rotateDid(state, { signer: by, updateKeys: [update.publicKey], keys: wanted, now }))
    await keys.replace(fileOf(name), JSON.stringify(stored))
  }
  return { ...identityOf(name, stored, { signer, now }), privateJwk }
}

/** A key that moved to where it cannot leave is not handed out any more. */
async function exportableJwk(keys: KeyStore, name: string): Promise<PrivateJwk | null> {
  const versions = (await keys.list()).filter((info) => info.name === name)
  if (versions.some(({ held }) => held === 'token')) return null
  return (await keys.privateJwks(name))[0] ?? null
}

async function openStored(
  keys: KeyStore,
  name: string,
  create: () => Promise<{ did: string; entry: DidLogEntry }>,
): Promise<StoredIdentity> {
  const kept = await keys.find(fileOf(name))
  if (kept === null) {
    const { did, entry } = await create()
    const made: StoredIdentity = { did, entries: [entry] }
    await keys.replace(fileOf(name), JSON.stringify(made))
    return made
  }
  const { did, ...stored } = JSON.parse(kept) as StoredIdentity | FirstStoredIdentity
  return { did, entries: 'entries' in stored ? stored.entries : [stored.genesis] }
}

function identityOf(
  name: string,
  { did, entries }: StoredIdentity,
  { signer, now }: { signer: Signer; now: Date },
): Omit<Identity, 'privateJwk'> {
  const [genesis, ...updates] = entries
  if (genesis === undefined) throw new Error(`the identity ${name} has no entries`)
  return {
    name,
    did,
    keyId: keyIdOf(stateOf({ did, entries }, laterOf(now, entries)), signer),
    signer,
    genesis,
    updates,
  }
}

function stateOf({ entries }: StoredIdentity, now: Date): DidState {
  let state: DidState | null = null
  for (const entry of entries) state = nextDidState({ state, entry, now })
  if (state === null) throw new Error('an identity has at least one entry')
  return state
}

/** Later than the last entry, also when the clock was set back meanwhile or the last one is of this millisecond. */
function laterOf(now: Date, entries: readonly DidLogEntry[]): Date {
  const last = entries.at(-1)?.versionTime
  return last === undefined ? now : new Date(Math.max(now.getTime(), Date.parse(last) + 1))
}

function place({ host, slug, now }: IdentityOptions): { host: string; path: string[]; now: Date } {
  return { host, path: ['dids', slug], now }
}

function fileOf(name: string): string {
  return `${name}.identity.json`
}

function multikeysIn({ document }: DidState): string[] {
  return (document.verificationMethod ?? []).map(({ publicKeyMultibase }) => publicKeyMultibase ?? '')
}

function sameKeys(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((key) => others.includes(key))
}

/** The verification method of the signer's key in the document. */
function keyIdOf(state: DidState, signer: Signer): string {
  const multikey = toMultikey(signer.publicKey)
  const method = state.document.verificationMethod?.find((candidate) => candidate.publicKeyMultibase === multikey)
  if (method === undefined) throw new Error('the document does not hold the key of its identity')
  return method.id.startsWith('#') ? state.did + method.id : method.id
}

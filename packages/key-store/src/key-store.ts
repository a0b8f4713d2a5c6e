import type { MlDsa44Signer, PrivateJwk, Secp256k1Signer, Signer } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import { type AnySigner, makeKey, signerOf } from './hold-keys.ts'
import { inTurn } from './in-turn.ts'
import { hasEnded, type KeyAlgorithm, type KeyRecord, type KeyVersion, recordSuffix } from './key-record.ts'
import { openSealedFolder, type SealedFolder } from './sealed-folder.ts'
import { takeOverPlainFiles } from './take-over-plain-files.ts'
import { openToken, type TokenOptions } from './token.ts'

/** One version of a key, without anything secret. */
export interface KeyInfo {
  readonly name: string
  readonly version: number
  readonly alg: KeyAlgorithm
  readonly state: 'active' | 'retiring' | 'ended'
  readonly created: Date
  /** End of the overlap; null for the active version. */
  readonly ends: Date | null
  readonly held: 'file' | 'token'
}

/** The keys and secrets of a server. A key has versions: one is active, others retire until their overlap ends. */
export interface KeyStore {
  /** The active version, made on first use. */
  signer(name: string, alg?: 'EdDSA' | 'ES256'): Promise<Signer>
  /** The active version first, then those whose overlap has not ended. */
  signers(name: string, alg?: 'EdDSA' | 'ES256'): Promise<readonly Signer[]>
  mlDsa44Signer(name: string): Promise<MlDsa44Signer>
  /** The active account first, then every one that is kept: a role is a ledger's to take away, and no overlap ends it. */
  secp256k1Signers(name: string): Promise<readonly Secp256k1Signer[]>
  /** The keys themselves, active first, for a library that signs on its own; such keys are never made in a token. */
  privateJwks(name: string, alg?: 'EdDSA' | 'ES256'): Promise<readonly PrivateJwk[]>
  /** A secret text of that name, made by `create` on first use. */
  secret(name: string, create: () => string | Promise<string>): Promise<string>
  /** The secret text of that name, or null when there is none. */
  find(name: string): Promise<string | null>
  /** Puts another text in its place. */
  replace(name: string, text: string): Promise<void>
  /** Makes the next version the active one; the one before goes on for the overlap. Whoever holds signers asks again. */
  rotate(name: string, options: { overlapSeconds: number }): Promise<void>
  list(): Promise<KeyInfo[]>
  close(): Promise<void>
}

export interface KeyStoreOptions {
  /** Of one process at a time, unless the others only read. */
  folder: string
  passphrase: string
  now: () => Date
  /** Makes new keys in this token, as far as it can hold them; the folder keeps where they are, and all the rest. */
  token?: TokenOptions | null
  readOnly?: boolean
}

/** Versions of one key that may be in use at once. */
const maxVersions = 8
const maxOverlapSeconds = 10 * 366 * 86_400

/**
 * Opens the keys of a folder: each key and each secret an AES-256-GCM file under a key that the passphrase opens. Plain
 * files of older cities are taken over. What a token cannot hold (ML-DSA-44 keys, secrets, keys that a library needs as JWK)
 * stays in the files. Throws Problem invalid-configuration, here and later, when a file is damaged, gone or another's,
 * or the passphrase is not theirs: no key is ever made anew in silence. Whoever can write the folder can put back an older
 * state of it unnoticed.
 */
export async function openKeyStore(options: KeyStoreOptions): Promise<KeyStore> {
  const { folder, passphrase, now, readOnly = false } = options
  const sealed = await openSealedFolder(folder, { passphrase, readOnly })
  if (!readOnly) await takeOverPlainFiles(folder, sealed)
  const token = options.token && !readOnly ? await openToken(options.token) : null
  const turn = inTurn()
  const opened = new Map<string, AnySigner>()

  const makeVersion = async (name: string, { alg, exportable }: KeyOrder, version: number): Promise<KeyVersion> => ({
    version,
    created: now().toISOString(),
    ends: null,
    key: await makeKey({ label: `${name}.${version}`, alg }, exportable ? null : token),
  })
  const openRecord = (name: string, order: KeyOrder): Promise<KeyRecord> =>
    turn(async () => {
      const kept = await readRecord(sealed, name)
      if (kept === null) {
        const record: KeyRecord = { ...order, versions: [await makeVersion(name, order, 1)] }
        await writeRecord(sealed, name, record)
        return record
      }
      checkRecord(name, kept, order)
      if (!order.exportable || kept.exportable) return kept
      const marked = { ...kept, exportable: true }
      await writeRecord(sealed, name, marked)
      return marked
    })
  const signersOf = async (name: string, alg: KeyAlgorithm): Promise<AnySigner[]> => {
    const { versions } = await openRecord(name, { alg, exportable: false })
    const signers: AnySigner[] = []
    for (const { version, key } of versions.filter((each) => alg === 'ES256K' || !hasEnded(each, now()))) {
      const label = `${name}.${version}`
      const signer = opened.get(label) ?? (await signerOf({ label, alg }, key, token))
      opened.set(label, signer)
      signers.push(signer)
    }
    return signers
  }
  const activeOf = async <Alg extends KeyAlgorithm>(name: string, alg: Alg) => {
    const [active] = await signersOf(name, alg)
    if (active === undefined) throw new Error(`the key ${name} has no active version`)
    // The record's algorithm was checked, and a signer is made by it.
    return active as Extract<AnySigner, { alg: Alg }>
  }

  return {
    signer: async (name, alg = 'EdDSA') => (await activeOf(name, alg)) as Signer,
    signers: async (name, alg = 'EdDSA') => (await signersOf(name, alg)) as Signer[],
    mlDsa44Signer: (name) => activeOf(name, 'ML-DSA-44'),
    secp256k1Signers: async (name) => (await signersOf(name, 'ES256K')) as Secp256k1Signer[],
    privateJwks: async (name, alg = 'EdDSA') => {
      const { versions } = await openRecord(name, { alg, exportable: true })
      return versions.filter((each) => !hasEnded(each, now())).map((version) => privateJwkOf(name, version))
    },
    secret: (name, create) =>
      turn(async () => {
        const kept = await sealed.read(name)
        if (kept !== null) return kept
        const text = await create()
        await sealed.write(name, text)
        return text
      }),
    find: (name) => turn(() => sealed.read(name)),
    replace: (name, text) => turn(() => sealed.write(name, text)),
    rotate: (name, { overlapSeconds }) =>
      turn(async () => {
        const record = await readRecord(sealed, name)
        if (record === null) throw new Problem('invalid-request', { detail: `There is no key ${name}` })
        const { kept, dropped } = retire(record.versions, overlapSeconds, now())
        const next = await makeVersion(name, record, record.versions[0].version + 1)
        await writeRecord(sealed, name, { ...record, versions: [next, ...kept] })
        // A crash before this leaves a key in the token that nobody uses any more.
        for (const { version, key } of dropped)
          if (key.held === 'token' && record.alg !== 'ML-DSA-44')
            await token?.destroy({ label: `${name}.${version}`, id: key.id, alg: record.alg })
      }),
    list: () => turn(() => listKeys(sealed, now())),
    close: async () => token?.close(),
  }
}

type KeyOrder = Pick<KeyRecord, 'alg' | 'exportable'>

async function readRecord(sealed: SealedFolder, name: string): Promise<KeyRecord | null> {
  const text = await sealed.read(name + recordSuffix)
  // What opens was written here, so it has the form that was written.
  return text === null ? null : (JSON.parse(text) as KeyRecord)
}

function writeRecord(sealed: SealedFolder, name: string, record: KeyRecord): Promise<void> {
  return sealed.write(name + recordSuffix, JSON.stringify(record))
}

function checkRecord(name: string, record: KeyRecord, { alg, exportable }: KeyOrder): void {
  if (record.alg !== alg)
    throw new Problem('invalid-configuration', { detail: `The key ${name} is for ${record.alg}, not ${alg}` })
  if (exportable) for (const version of record.versions) privateJwkOf(name, version)
}

function privateJwkOf(name: string, { version, key }: KeyVersion): PrivateJwk {
  if (key.held === 'jwk') return key.jwk
  throw new Problem('invalid-configuration', { detail: `The key ${name}.${version} cannot leave where it is` })
}

/** The active version is given its end, those before keep theirs, and those whose time is over are dropped. */
function retire(
  [active, ...retiring]: KeyRecord['versions'],
  overlapSeconds: number,
  now: Date,
): { kept: KeyVersion[]; dropped: KeyVersion[] } {
  if (!Number.isInteger(overlapSeconds) || overlapSeconds < 0 || overlapSeconds > maxOverlapSeconds)
    throw new Problem('invalid-request', {
      detail: `An overlap is a whole number of seconds from 0 to ${maxOverlapSeconds}`,
    })
  const before = [{ ...active, ends: new Date(now.getTime() + overlapSeconds * 1000).toISOString() }, ...retiring]
  const kept = before.filter((version) => !hasEnded(version, now))
  if (kept.length >= maxVersions)
    throw new Problem('invalid-request', {
      detail: `${maxVersions} versions of the key are in use already; wait for the end of an overlap`,
    })
  return { kept, dropped: before.filter((version) => hasEnded(version, now)) }
}

async function listKeys(sealed: SealedFolder, now: Date): Promise<KeyInfo[]> {
  const infos: KeyInfo[] = []
  for (const name of sealed.names().filter((each) => each.endsWith(recordSuffix))) {
    const record = await readRecord(sealed, name.slice(0, -recordSuffix.length))
    if (record === null) continue
    for (const version of record.versions)
      infos.push(infoOf(name.slice(0, -recordSuffix.length), { record, version, now }))
  }
  return infos
}

function infoOf(
  name: string,
  { record, version, now }: { record: KeyRecord; version: KeyVersion; now: Date },
): KeyInfo {
  return {
    name,
    version: version.version,
    alg: record.alg,
    state: version.ends === null ? 'active' : hasEnded(version, now) ? 'ended' : 'retiring',
    created: new Date(version.created),
    ends: version.ends === null ? null : new Date(version.ends),
    held: version.key.held === 'token' ? 'token' : 'file',
  }
}

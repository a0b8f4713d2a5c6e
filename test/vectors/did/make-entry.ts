import { canonicalBytes, canonicalJson, concat, fromHex, sha256, toBase58, utf8 } from '@tillit/codec'
import { type Signer, signerFromJwk, signerFromSeed, toMultikey } from '@tillit/keys'

export type Members = Record<string, unknown>
export interface Entry {
  versionId: string
  versionTime: string
  parameters: Members
  state: Members
  proof: Members[]
}

export const placeholder = '{SCID}'
export const now = '2026-01-01T01:00:00Z'
export const draftDid = 'did:webvh:{SCID}:city.example:parties:grid'

/** y coordinates of small order and their non-canonical twins; each with either sign bit. */
export const smallOrder = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
].flatMap((hex) => {
  const signed = fromHex(hex)
  signed[31] = (signed[31] ?? 0) | 0x80
  return [fromHex(hex), signed]
})

export const signerOf = (n: number) => signerFromSeed(new Uint8Array(32).fill(n))
export const [alice, bob, carol, mallory] = [await signerOf(1), await signerOf(2), await signerOf(3), await signerOf(4)] as const
// RFC 7515 appendix A.3.
export const es256 = await signerFromJwk({
  kty: 'EC',
  crv: 'P-256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
  d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI',
})

export const multikeyOf = (signer: Signer) => toMultikey(signer.publicKey)
export const ed25519Multikey = (bytes: Uint8Array) => `z${toBase58(concat(Uint8Array.of(0xed, 0x01), bytes))}`
export const hash = (text: string) => toBase58(concat(Uint8Array.of(0x12, 0x20), sha256(utf8(text))))
export const commit = (signer: Signer) => hash(multikeyOf(signer))
/** A multihash of another algorithm (0x13 is SHA-512), well formed but not permitted by v1.0. */
export const sha512Name = (entry: Entry) => toBase58(concat(Uint8Array.of(0x13, 0x40), sha256(canonicalBytes(entry)), sha256(canonicalBytes(entry))))
export const minute = (n: number) => `2026-01-01T00:0${n}:00Z`
export const identity = fromHex(`01${'00'.repeat(31)}`)

export function documentOf(did: string, more: Members = {}): Members {
  return { '@context': ['https://www.w3.org/ns/did/v1'], id: did, ...more }
}

export async function prove(entry: Omit<Entry, 'proof'>, signer: Signer, more: Members = {}): Promise<Members> {
  const key = multikeyOf(signer)
  const options = {
    type: 'DataIntegrityProof',
    cryptosuite: 'eddsa-jcs-2022',
    verificationMethod: `did:key:${key}#${key}`,
    created: entry.versionTime,
    proofPurpose: 'assertionMethod',
    ...more,
  }
  const bytes = concat(sha256(canonicalBytes(options)), sha256(canonicalBytes(entry)))
  return { ...options, proofValue: `z${toBase58(await signer.sign(bytes))}` }
}

export interface First {
  parameters?: Members
  without?: string
  document?: Members
  did?: string
  time?: string
  signers?: Signer[]
  proof?: Members
}

export async function first(change: First = {}): Promise<Entry> {
  const { time = minute(1), signers = [alice], did = draftDid } = change
  const parameters: Members = {
    method: 'did:webvh:1.0',
    scid: placeholder,
    updateKeys: [multikeyOf(alice)],
    ...change.parameters,
  }
  if (change.without !== undefined) delete parameters[change.without]
  const draft = { versionId: placeholder, versionTime: time, parameters, state: documentOf(did, change.document) }
  const scid = hash(canonicalJson(draft))
  const entry = JSON.parse(JSON.stringify(draft).replaceAll(placeholder, scid)) as Omit<Entry, 'proof'>
  return finish(entry, `1-${hash(canonicalJson({ ...entry, versionId: scid }))}`, signers, change.proof)
}

export interface Next {
  parameters?: Members
  state?: Members
  time?: string
  number?: number
  signers?: Signer[]
}

export async function next(before: Entry, change: Next = {}): Promise<Entry> {
  const number = Number.parseInt(before.versionId, 10) + 1
  const entry = {
    versionId: before.versionId,
    versionTime: change.time ?? minute(number),
    parameters: change.parameters ?? {},
    state: change.state ?? before.state,
  }
  return finish(entry, `${change.number ?? number}-${hash(canonicalJson(entry))}`, change.signers ?? [alice])
}

export async function finish(entry: Omit<Entry, 'proof'>, versionId: string, signers: Signer[], more?: Members): Promise<Entry> {
  const unsigned = { ...entry, versionId }
  return { ...unsigned, proof: await Promise.all(signers.map((signer) => prove(unsigned, signer, more))) }
}

export const idOf = (entry: Entry) => String(entry.state.id)
export const method = (did: string, more: Members) => ({ id: `${did}#key`, type: 'Multikey', controller: did, ...more })

export const a = multikeyOf(alice)
export const b = multikeyOf(bob)
export const genesis = await first()
export const second = await next(genesis)
export const preRotated = await first({ parameters: { nextKeyHashes: [commit(bob)] } })
export const portable = await first({ parameters: { portable: true } })
export const rotated = await next(genesis, { parameters: { updateKeys: [b] } })
export const revealed = await next(preRotated, { parameters: { updateKeys: [b], nextKeyHashes: [] }, signers: [bob] })
export const deactivated = await next(genesis, { parameters: { deactivated: true, updateKeys: [] } })
export const movedId = idOf(portable).replace('city.example', 'town.example')
export const witness = { threshold: 1, witnesses: [{ id: `did:key:${b}` }, { id: `did:key:${multikeyOf(carol)}` }] }

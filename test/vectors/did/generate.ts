/**
 * Writes the vectors of did:webvh logs and DIDs beside this file: `node test/vectors/did/generate.ts`. Hashes and proofs are made
 * here from the specification and not by packages/did, so that the two check each other. Keys come from fixed seeds.
 *
 * valid/    {kind: 'log', now, log, state}   the log verifies at `now`; the state has at least these members
 *           {kind: 'dids', dids: [{did, location?}]}   each parses, and is found at `location`
 *           {kind: 'resolution', now, did, query, log, witness, metadata}   the DID resolves with the log and the did-witness.json
 *                                                  (null: there is none) beside it; the document's metadata has at least these members
 *           {kind: 'dereferencing', didUrl, accept, document, content}   the DID URL leads to this within the document
 * invalid/  {kind: 'log', now, log, code, pointer}   all entries but the last verify; the last is refused with this code
 *           {kind: 'dids', dids, code}   each is refused with this code
 *           {kind: 'resolution', now, did, query, log, witness, code}   does not resolve, with this code; `witness` may be any text
 *           {kind: 'dereferencing', didUrl, accept, document, error}   ends in this error of DID Resolution
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { canonicalBytes, canonicalJson, concat, fromHex, sha256, toBase58, toBase64url, utf8 } from '@tillit/codec'
import { type Signer, signerFromJwk, signerFromSeed, toMultikey, toPublicJwk } from '@tillit/keys'

type Members = Record<string, unknown>
interface Entry {
  versionId: string
  versionTime: string
  parameters: Members
  state: Members
  proof: Members[]
}

const placeholder = '{SCID}'
const now = '2026-01-01T01:00:00Z'
const draftDid = 'did:webvh:{SCID}:city.example:parties:grid'

/** y coordinates of small order and their non-canonical twins; each with either sign bit. */
const smallOrder = [
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

const [alice, bob, carol, mallory] = await Promise.all([1, 2, 3, 4].map((n) => signerFromSeed(new Uint8Array(32).fill(n))))
if (!alice || !bob || !carol || !mallory) throw new Error('four keys')
// RFC 7515 appendix A.3.
const es256 = await signerFromJwk({
  kty: 'EC',
  crv: 'P-256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
  d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI',
})

const multikeyOf = (signer: Signer) => toMultikey(signer.publicKey)
const ed25519Multikey = (bytes: Uint8Array) => `z${toBase58(concat(Uint8Array.of(0xed, 0x01), bytes))}`
const hash = (text: string) => toBase58(concat(Uint8Array.of(0x12, 0x20), sha256(utf8(text))))
const commit = (signer: Signer) => hash(multikeyOf(signer))
/** A multihash of another algorithm (0x13 is SHA-512), well formed but not permitted by v1.0. */
const sha512Name = (entry: Entry) => toBase58(concat(Uint8Array.of(0x13, 0x40), sha256(canonicalBytes(entry)), sha256(canonicalBytes(entry))))
const minute = (n: number) => `2026-01-01T00:0${n}:00Z`
const identity = fromHex(`01${'00'.repeat(31)}`)

function documentOf(did: string, more: Members = {}): Members {
  return { '@context': ['https://www.w3.org/ns/did/v1'], id: did, ...more }
}

async function prove(entry: Omit<Entry, 'proof'>, signer: Signer, more: Members = {}): Promise<Members> {
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

interface First {
  parameters?: Members
  without?: string
  document?: Members
  did?: string
  time?: string
  signers?: Signer[]
  proof?: Members
}

async function first(change: First = {}): Promise<Entry> {
  const { time = minute(1), signers = [alice as Signer], did = draftDid } = change
  const parameters: Members = {
    method: 'did:webvh:1.0',
    scid: placeholder,
    updateKeys: [multikeyOf(alice as Signer)],
    ...change.parameters,
  }
  if (change.without !== undefined) delete parameters[change.without]
  const draft = { versionId: placeholder, versionTime: time, parameters, state: documentOf(did, change.document) }
  const scid = hash(canonicalJson(draft))
  const entry = JSON.parse(JSON.stringify(draft).replaceAll(placeholder, scid)) as Omit<Entry, 'proof'>
  return finish(entry, `1-${hash(canonicalJson({ ...entry, versionId: scid }))}`, signers, change.proof)
}

interface Next {
  parameters?: Members
  state?: Members
  time?: string
  number?: number
  signers?: Signer[]
}

async function next(before: Entry, change: Next = {}): Promise<Entry> {
  const number = Number.parseInt(before.versionId, 10) + 1
  const entry = {
    versionId: before.versionId,
    versionTime: change.time ?? minute(number),
    parameters: change.parameters ?? {},
    state: change.state ?? before.state,
  }
  return finish(entry, `${change.number ?? number}-${hash(canonicalJson(entry))}`, change.signers ?? [alice as Signer])
}

async function finish(entry: Omit<Entry, 'proof'>, versionId: string, signers: Signer[], more?: Members): Promise<Entry> {
  const unsigned = { ...entry, versionId }
  return { ...unsigned, proof: await Promise.all(signers.map((signer) => prove(unsigned, signer, more))) }
}

const idOf = (entry: Entry) => String(entry.state.id)
const method = (did: string, more: Members) => ({ id: `${did}#key`, type: 'Multikey', controller: did, ...more })

const a = multikeyOf(alice)
const b = multikeyOf(bob)
const genesis = await first()
const second = await next(genesis)
const preRotated = await first({ parameters: { nextKeyHashes: [commit(bob)] } })
const portable = await first({ parameters: { portable: true } })
const rotated = await next(genesis, { parameters: { updateKeys: [b] } })
const revealed = await next(preRotated, { parameters: { updateKeys: [b], nextKeyHashes: [] }, signers: [bob] })
const deactivated = await next(genesis, { parameters: { deactivated: true, updateKeys: [] } })
const movedId = idOf(portable).replace('city.example', 'town.example')
const witness = { threshold: 1, witnesses: [{ id: `did:key:${b}` }, { id: `did:key:${multikeyOf(carol)}` }] }

const valid: Record<string, Members> = {}
const invalid: Record<string, Members> = {}

function accept(sentence: string, log: Entry[], state: Members): void {
  valid[sentence] = { kind: 'log', now, log, state }
}

function refuse(sentence: string, log: unknown[], pointer: string, code = 'invalid-did-log'): void {
  invalid[sentence] = { kind: 'log', now, log, code, pointer }
}

accept('a log of one entry', [genesis], { versionNumber: 1, updateKeys: [a], nextKeyHashes: [], ttlSeconds: 3600, portable: false, witness: null })
accept('a second entry without parameters keeps those before it', [genesis, second], { versionNumber: 2, updateKeys: [a] })
accept('keys rotate with an entry signed by the key before', [genesis, rotated, await next(rotated, { signers: [bob] })], { versionNumber: 3, updateKeys: [b] })
accept('a pre-rotated key signs the entry that reveals it', [preRotated, revealed], { updateKeys: [b], nextKeyHashes: [] })
accept('after pre-rotation has ended the key before signs', [preRotated, revealed, await next(revealed, { signers: [bob] })], { versionNumber: 3 })
accept('a commitment that is not used is ignored', [await first({ parameters: { nextKeyHashes: [commit(bob), 'any text'] } })], { nextKeyHashes: [commit(bob), 'any text'] })
accept('a deactivated DID keeps its last document', [genesis, deactivated], { deactivated: true, updateKeys: [] })
accept('a portable DID moves and names the one before', [portable, await next(portable, { state: documentOf(movedId, { alsoKnownAs: [idOf(portable)] }) })], { did: movedId, portable: true })
accept('two update keys may both sign', [await first({ parameters: { updateKeys: [a, b] }, signers: [alice, bob] })], { updateKeys: [a, b] })
accept('witnesses of the first entry count at once', [await first({ parameters: { witness } })], { witness, requiredWitness: witness })
const witnessed = await first({ parameters: { witness } })
accept('witnesses are dismissed by an entry that they still witness', [witnessed, await next(witnessed, { parameters: { witness: {} } })], { witness: null, requiredWitness: witness })
accept('null stands for the default in early logs', [await first({ parameters: { nextKeyHashes: null, witness: null, watchers: null, ttl: null } })], { nextKeyHashes: [], witness: null, watchers: [], ttlSeconds: 3600 })
accept('a version time may have milliseconds and a zero offset', [await first({ time: '2026-01-01T00:01:00.25+00:00' })], { versionTime: '2026-01-01T00:01:00.25+00:00' })
accept('a time to live of nought is kept', [await first({ parameters: { ttl: 0 } })], { ttlSeconds: 0 })
accept('a key of another algorithm may stand in the document', [await first({ document: { verificationMethod: [method(draftDid, { publicKeyMultibase: 'z6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc' })], keyAgreement: [`${draftDid}#key`] } })], { versionNumber: 1 })
valid['places of DIDs'] = {
  kind: 'dids',
  dids: [
    { did: 'did:web:city.example', location: 'https://city.example/.well-known/did.json' },
    { did: 'did:web:city.example:parties:grid', location: 'https://city.example/parties/grid/did.json' },
    { did: 'did:web:localhost%3A8080:a-b', location: 'https://localhost:8080/a-b/did.json' },
    { did: 'did:web:xn--jp-cd2fp15c.xn--fsq.jp:%E7%94%A8%E6%88%B7', location: 'https://xn--jp-cd2fp15c.xn--fsq.jp/%E7%94%A8%E6%88%B7/did.json' },
    { did: idOf(genesis), location: 'https://city.example/parties/grid/did.jsonl' },
    { did: idOf(genesis).replace('city.example:parties:grid', 'city.example%3A8443'), location: 'https://city.example:8443/.well-known/did.jsonl' },
  ],
}

refuse('the first entry without a method', [await first({ without: 'method' })], '/parameters/method')
refuse('the first entry without a SCID', [await first({ without: 'scid' })], '/parameters/scid')
refuse('the first entry without update keys', [await first({ without: 'updateKeys' })], '/parameters/updateKeys')
refuse('the first entry with an empty list of update keys', [await first({ parameters: { updateKeys: [] } })], '/parameters/updateKeys')
refuse('another method version', [await first({ parameters: { method: 'did:webvh:0.5' } })], '/parameters/method')
refuse('a SCID that is not the hash of the first entry', [JSON.parse(JSON.stringify(genesis).replaceAll(minute(1), minute(0)))], '/parameters/scid')
refuse('a placeholder left in the first entry', [await finish({ ...genesis, state: documentOf(idOf(genesis), { note: placeholder }) } as Entry, genesis.versionId, [alice])].map(({ versionId, versionTime, parameters, state, proof }) => ({ versionId, versionTime, parameters, state, proof })), '')
refuse('a changed document', [genesis, { ...second, state: documentOf(idOf(genesis), { alsoKnownAs: ['https://mallory.example/'] }) }], '/versionId')
refuse('a version number that skips one', [genesis, await next(genesis, { number: 3 })], '/versionId')
refuse('a log without its first entry', [second], '/parameters/method')
refuse('a fork from an older version', [genesis, second, { ...(await next(genesis)), versionId: second.versionId.replace('2-', '3-') }], '/versionId')
refuse('a version time in the future', [await first({ time: '2026-01-01T01:00:01Z' })], '/versionTime')
refuse('a version time equal to the one before', [genesis, await next(genesis, { time: minute(1) })], '/versionTime')
refuse('a version time before the one before', [genesis, await next(genesis, { time: minute(0) })], '/versionTime')
refuse('a version time that is not in UTC', [await first({ time: '2026-01-01T00:01:00+01:00' })], '/versionTime')
refuse('a version time that does not exist', [await first({ time: '2025-02-30T00:00:00Z' })], '/versionTime')
refuse('an unknown parameter', [await first({ parameters: { prerotation: true } })], '/parameters/prerotation')
refuse('an unknown member of an entry', [{ ...genesis, extra: 1 }], '/extra')
refuse('an entry without a proof', [{ ...genesis, proof: [] }], '/proof')
refuse('a proof by a key that is not an update key', [await first({ signers: [mallory] })], '/proof/0')
refuse('a second proof by a key that is not an update key', [await first({ signers: [alice, mallory] })], '/proof/1')
refuse('a proof for another purpose', [await first({ proof: { proofPurpose: 'authentication' } })], '/proof/0')
refuse('a proof of another suite', [await first({ proof: { cryptosuite: 'eddsa-rdfc-2022' } })], '/proof/0')
refuse('a proof with a member that is not understood', [await first({ proof: { expires: '2030-01-01T00:00:00Z' } })], '/proof/0')
refuse('a proof that names its key without a fragment', [await first({ proof: { verificationMethod: `did:key:${a}` } })], '/proof/0')
refuse('a proof over another entry', [{ ...genesis, proof: second.proof }], '/proof/0')
refuse('an entry signed by a key that was rotated away', [genesis, rotated, await next(rotated, { signers: [alice] })], '/proof/0')
refuse('an entry signed by the key it rotates to without pre-rotation', [genesis, await next(genesis, { parameters: { updateKeys: [b] }, signers: [bob] })], '/proof/0')
refuse('a SCID in a later entry', [genesis, await next(genesis, { parameters: { scid: genesis.parameters.scid } })], '/parameters/scid')
refuse('a DID made portable later', [genesis, await next(genesis, { parameters: { portable: true } })], '/parameters/portable')
refuse('a DID that moves although it is not portable', [genesis, await next(genesis, { state: documentOf(idOf(genesis).replace('city.', 'town.'), { alsoKnownAs: [idOf(genesis)] }) })], '/state/id')
refuse('a DID that moves in the entry that ends portability', [portable, await next(portable, { parameters: { portable: false }, state: documentOf(movedId, { alsoKnownAs: [idOf(portable)] }) })], '/state/id')
refuse('a moved DID that does not name the one before', [portable, await next(portable, { state: documentOf(movedId) })], '/state/alsoKnownAs')
refuse('a document with the SCID of another DID', [genesis, await next(genesis, { state: documentOf(idOf(preRotated)) })], '/state/id')
refuse('a pre-rotated entry without next key hashes', [preRotated, await next(preRotated, { parameters: { updateKeys: [b] }, signers: [bob] })], '/parameters/nextKeyHashes')
refuse('a pre-rotated entry without update keys', [preRotated, await next(preRotated, { parameters: { nextKeyHashes: [] }, signers: [bob] })], '/parameters/updateKeys')
refuse('a pre-rotated entry with a key that was not committed to', [preRotated, await next(preRotated, { parameters: { updateKeys: [multikeyOf(mallory)], nextKeyHashes: [] }, signers: [mallory] })], '/parameters/updateKeys')
refuse('a pre-rotated entry with one key more than was committed to', [preRotated, await next(preRotated, { parameters: { updateKeys: [b, multikeyOf(mallory)], nextKeyHashes: [] }, signers: [bob] })], '/parameters/updateKeys')
refuse('a pre-rotated entry signed by the old key', [preRotated, await next(preRotated, { parameters: { updateKeys: [b], nextKeyHashes: [] }, signers: [alice] })], '/proof/0')
refuse('an entry after deactivation', [genesis, deactivated, await next(deactivated)], '')
refuse('a parameter of the wrong type', [await first({ parameters: { portable: 'yes' } })], '/parameters/portable')
refuse('a negative time to live', [await first({ parameters: { ttl: -1 } })], '/parameters/ttl')
refuse('an update key that stands twice', [await first({ parameters: { updateKeys: [a, a] } })], '/parameters/updateKeys')
refuse('an update key that cannot sign', [await first({ parameters: { updateKeys: [a, multikeyOf(es256)] } })], '/parameters/updateKeys/1')
refuse('a witness threshold that cannot be reached', [await first({ parameters: { witness: { ...witness, threshold: 3 } } })], '/parameters/witness')
refuse('a witness that is not a did:key', [await first({ parameters: { witness: { threshold: 1, witnesses: [{ id: b }] } } })], '/parameters/witness/witnesses/0')
refuse('an IP address as host', [await first({ did: 'did:webvh:{SCID}:127.0.0.1' })], '', 'invalid-did')

for (const [index, bytes] of smallOrder.entries()) {
  const weak = ed25519Multikey(bytes)
  refuse(`a weak update key ${index + 1}`, [await first({ parameters: { updateKeys: [a, weak] } })], '/parameters/updateKeys/1', 'weak-key')
  refuse(`a weak key in the document ${index + 1}`, [await first({ document: { verificationMethod: [method(draftDid, { publicKeyMultibase: weak })] } })], '/state/verificationMethod/0', 'weak-key')
}
const constantSignature = concat(identity, new Uint8Array(32))
const identitySigner: Signer = { alg: 'EdDSA', publicKey: { alg: 'EdDSA', bytes: identity }, sign: async () => constantSignature }
refuse('the signature that verifies for any message under a weak key', [await first({ parameters: { updateKeys: [ed25519Multikey(identity)] }, signers: [identitySigner] })], '/parameters/updateKeys/0', 'weak-key')
refuse('a weak JWK in the document', [await first({ document: { verificationMethod: [method(draftDid, { type: 'JsonWebKey', publicKeyJwk: { kty: 'OKP', crv: 'Ed25519', x: toBase64url(identity) } })] } })], '/state/verificationMethod/0', 'weak-key')
refuse('a weak key inside a relationship', [await first({ document: { authentication: [method(draftDid, { publicKeyMultibase: ed25519Multikey(identity) })] } })], '/state/authentication/0', 'weak-key')
refuse('a weak witness', [await first({ parameters: { witness: { threshold: 1, witnesses: [{ id: `did:key:${ed25519Multikey(identity)}` }] } } })], '/parameters/witness/witnesses/0', 'weak-key')
refuse('a private JWK in the document', [await first({ document: { verificationMethod: [method(draftDid, { type: 'JsonWebKey', publicKeyJwk: { ...toPublicJwk(alice.publicKey), d: toBase64url(new Uint8Array(32).fill(1)) } })] } })], '/state/verificationMethod/0', 'invalid-key')
refuse('a key written in a way that is not checked', [await first({ document: { verificationMethod: [method(draftDid, { type: 'Ed25519VerificationKey2018', publicKeyBase58: toBase58(identity) })] } })], '/state/verificationMethod/0', 'invalid-key')
refuse('two verification methods with one id', [await first({ document: { verificationMethod: [method(draftDid, { publicKeyMultibase: a }), { ...method(draftDid, { publicKeyMultibase: b }), id: '#key' }] } })], '/state', 'invalid-key')

const scid = String(genesis.parameters.scid)
const badPlaces = ['', '127.0.0.1', '127.1', '0x7f.0x1', '2130706433', '%5B%3A%3A1%5D', '[::1]', 'example', 'City.example', 'city..example', '.city.example', 'city.example.', '-city.example', 'city_1.example', 'user%40city.example', 'city.example%3A0', 'city.example%3A65536', 'city.example%3A080', 'city.example%3a8080', 'city.example%3A80%3A80', 'city.example%253A80', 'city%2Eexample', 'city.example:', 'city.example::a', 'city.example:.', 'city.example:..', 'city.example:%2E%2E', 'city.example:%2e.', 'city.example:%252E%252E', 'city.example:a%2Fb', 'city.example:a%5Cb', 'city.example:a%00b', 'city.example:%20', 'city.example:%FF', 'city.example:%3Fq', 'city.example:%23f', 'city.example/a', 'city.example?a', 'city.example#a', 'jp納豆.example']
invalid['DIDs with a place that none can have'] = { kind: 'dids', code: 'invalid-did', dids: badPlaces.flatMap((place) => [`did:web:${place}`, `did:webvh:${scid}:${place}`]) }
invalid['DIDs that are not well formed'] = { kind: 'dids', code: 'invalid-did', dids: ['', 'did', 'did:', 'did:web', 'did:webvh', 'did:webvh:', `did:webvh:${scid}`, `did:webvh:${scid.slice(1)}:city.example`, `did:webvh:${scid.replace('Qm', 'Q0')}:city.example`, 'did:webvh:{SCID}:city.example', 'DID:web:city.example', 'did:Web:city.example', ' did:web:city.example', 'did:web:city.example\n', 'did:key:a:b', 'did:key:', 'did:jwk:%41', `did:web:city.example:${'a'.repeat(1024)}`] }
invalid['weak keys as did key'] = { kind: 'dids', code: 'weak-key', dids: smallOrder.map((bytes) => `did:key:${ed25519Multikey(bytes)}`) }
invalid['weak keys as did jwk'] = { kind: 'dids', code: 'weak-key', dids: smallOrder.map((bytes) => `did:jwk:${toBase64url(utf8(JSON.stringify({ kty: 'OKP', crv: 'Ed25519', x: toBase64url(bytes) })))}`) }

// Entries that are not of the form.
const retold = (change: Members) => ({ ...genesis, ...change })
refuse('a first version numbered two', [retold({ versionId: genesis.versionId.replace('1-', '2-') })], '/versionId')
refuse('a version number with a leading zero', [retold({ versionId: `0${genesis.versionId}` })], '/versionId')
refuse('a version id without a dash', [retold({ versionId: genesis.versionId.replace('-', '') })], '/versionId')
refuse('a version id that is a number', [retold({ versionId: 1 })], '/versionId')
refuse('an entry hash by another algorithm', [retold({ versionId: `1-${sha512Name(genesis)}` })], '/versionId')
refuse('a SCID by another algorithm', [JSON.parse(JSON.stringify(genesis).replaceAll(String(genesis.parameters.scid), sha512Name(genesis)))], '/parameters/scid')
refuse('a SCID that is no text', [retold({ parameters: { ...genesis.parameters, scid: 1 } })], '/parameters/scid')
refuse('a version time that is a number', [retold({ versionTime: 1767225660 })], '/versionTime')
refuse('a version time without a zone', [await first({ time: '2026-01-01T00:01:00' })], '/versionTime')
refuse('a version time that is only a day', [await first({ time: '2026-01-01' })], '/versionTime')
refuse('parameters that are a list', [retold({ parameters: [] })], '/parameters')
refuse('a state that is null', [retold({ state: null })], '/state')
refuse('a proof that stands outside a list', [retold({ proof: genesis.proof[0] })], '/proof')
refuse('more proofs than four', [retold({ proof: Array(5).fill(genesis.proof[0]) })], '/proof')
refuse('an entry that is a list', [[]], '')

// Proofs.
const withProof = (change: Members) => retold({ proof: [{ ...genesis.proof[0], ...change }] })
refuse('a proof of another type', [await first({ proof: { type: 'Ed25519Signature2020' } })], '/proof/0')
refuse('a proof without a purpose', [await first({ proof: { proofPurpose: undefined } })], '/proof/0')
refuse('a proof whose fragment names another key', [await first({ proof: { verificationMethod: `did:key:${a}#${b}` } })], '/proof/0')
refuse('a proof that names its key by another DID', [await first({ proof: { verificationMethod: `did:web:city.example#${a}` } })], '/proof/0')
refuse('a proof made at no time', [await first({ proof: { created: 'yesterday' } })], '/proof/0')
refuse('a proof for a domain', [await first({ proof: { domain: 'city.example' } })], '/proof/0')
refuse('a proof with a context of its own', [await first({ proof: { '@context': ['https://www.w3.org/ns/credentials/v2'] } })], '/proof/0')
refuse('a proof value in base64', [withProof({ proofValue: `u${toBase64url(new Uint8Array(64))}` })], '/proof/0')
refuse('a proof value that is not base58', [withProof({ proofValue: 'z0OIl' })], '/proof/0')
refuse('a proof without a value', [withProof({ proofValue: undefined })], '/proof/0')
refuse('a signature one byte short', [withProof({ proofValue: `z${toBase58(new Uint8Array(63).fill(1))}` })], '/proof/0')
refuse('a signature of another entry', [withProof({ proofValue: second.proof[0]?.proofValue })], '/proof/0')
refuse('a proof of another time than was signed', [withProof({ created: minute(2) })], '/proof/0')

// Parameters.
for (const [sentence, name, value, place = ''] of [
  ['next key hashes that are no list', 'nextKeyHashes', commit(bob)],
  ['a next key hash that is a number', 'nextKeyHashes', [1]],
  ['more update keys than are read', 'updateKeys', Array.from({ length: 65 }, (_, index) => ed25519Multikey(new Uint8Array(32).fill(index)))],
  ['an update key that is no multikey', 'updateKeys', ['key'], '/0'],
  ['an update key as did key', 'updateKeys', [`did:key:${a}`], '/0'],
  ['watchers that are no list', 'watchers', 'https://watch.example/'],
  ['a watcher that is no URL', 'watchers', ['watch.example'], '/0'],
  ['a watcher that stands twice', 'watchers', ['https://watch.example/', 'https://watch.example/']],
  ['a witness list that is a list', 'witness', [{ id: `did:key:${b}` }]],
  ['a witness list without witnesses', 'witness', { threshold: 1, witnesses: [] }],
  ['a witness list without a threshold', 'witness', { witnesses: witness.witnesses }],
  ['a witness threshold of nought', 'witness', { ...witness, threshold: 0 }],
  ['a witness threshold that is a text', 'witness', { ...witness, threshold: '1' }],
  ['a witness threshold between two numbers', 'witness', { ...witness, threshold: 1.5 }],
  ['a witness that stands twice', 'witness', { threshold: 2, witnesses: [witness.witnesses[0], witness.witnesses[0]] }],
  ['a witness with a weight', 'witness', { threshold: 1, witnesses: [{ ...witness.witnesses[0], weight: 1 }] }, '/witnesses/0'],
  ['a witness that is named by its key alone', 'witness', { threshold: 1, witnesses: [b] }, '/witnesses/0'],
  ['a witness list with an unknown member', 'witness', { ...witness, selfWeight: 1 }],
  ['a witness that cannot sign', 'witness', { threshold: 1, witnesses: [{ id: `did:key:${multikeyOf(es256)}` }] }, '/witnesses/0'],
  ['a time to live that is a text', 'ttl', '3600'],
  ['a time to live between two seconds', 'ttl', 0.5],
  ['a time to live over two to the power of 31', 'ttl', 2 ** 31 + 1],
  ['a deactivation that is a text', 'deactivated', 'true'],
  ['portability that is null', 'portable', null],
  ['a method that is null', 'method', null],
] as [string, string, unknown, string?][]) {
  const code = place === '/0' && name === 'updateKeys' ? 'invalid-key' : 'invalid-did-log'
  refuse(sentence, [await first({ parameters: { [name]: value } })], `/parameters/${name}${place}`, code)
}
refuse('an older method version in a later entry', [genesis, await next(genesis, { parameters: { method: 'did:webvh:0.5' } })], '/parameters/method')
refuse('a method version of the future in a later entry', [genesis, await next(genesis, { parameters: { method: 'did:webvh:1.1' } })], '/parameters/method')
const closedLog = await next(genesis, { parameters: { updateKeys: [] } })
refuse('an entry after all update keys were given up', [genesis, closedLog, await next(closedLog)], '/proof/0')
const settled = await next(portable, { parameters: { portable: false } })
refuse('portability that comes back', [portable, settled, await next(settled, { parameters: { portable: true } })], '/parameters/portable')
const startsRotation = await next(genesis, { parameters: { nextKeyHashes: [commit(bob)] } })
refuse('an entry by the old key after pre-rotation began in a later entry', [genesis, startsRotation, await next(startsRotation, { parameters: { updateKeys: [a], nextKeyHashes: [] } })], '/parameters/updateKeys')
refuse('a pre-rotated deactivation without update keys', [preRotated, await next(preRotated, { parameters: { deactivated: true, nextKeyHashes: [] }, signers: [bob] })], '/parameters/updateKeys')
accept('the last key of a pre-rotation deactivates', [preRotated, await next(preRotated, { parameters: { deactivated: true, updateKeys: [b], nextKeyHashes: [] }, signers: [bob] })], { deactivated: true })
accept('pre-rotation may begin in a later entry', [genesis, startsRotation, await next(startsRotation, { parameters: { updateKeys: [b], nextKeyHashes: [] }, signers: [bob] })], { updateKeys: [b], versionNumber: 3 })
accept('the method may be named again', [genesis, await next(genesis, { parameters: { method: 'did:webvh:1.0' } })], { versionNumber: 2 })
accept('a watcher may be named by another scheme', [await first({ parameters: { watchers: ['https://watch.example/', 'did:web:watch.example'] } })], { watchers: ['https://watch.example/', 'did:web:watch.example'] })
accept('watchers are dismissed by an empty list', [genesis, await next(genesis, { parameters: { watchers: [] } })], { watchers: [] })
accept('a first witness list in a later entry counts at once', [genesis, await next(genesis, { parameters: { witness } })], { witness, requiredWitness: witness })
accept('the longest time to live', [await first({ parameters: { ttl: 2 ** 31 } })], { ttlSeconds: 2 ** 31 })

// Documents.
refuse('a document without an id', [genesis, await next(genesis, { state: { '@context': [] } })], '/state', 'invalid-did')
refuse('a document of another method', [genesis, await next(genesis, { state: documentOf('did:web:city.example:parties:grid') })], '/state/id')
refuse('a document whose id has a fragment', [genesis, await next(genesis, { state: documentOf(`${idOf(genesis)}#key`) })], '', 'invalid-did')
refuse('a document at a place that leads up', [portable, await next(portable, { state: documentOf(`${idOf(portable)}:..`, { alsoKnownAs: [idOf(portable)] }) })], '', 'invalid-did')
refuse('a first entry with another SCID in its document', [await first({ did: idOf(preRotated) })], '/state/id')
refuse('a portable DID that takes another SCID', [portable, await next(portable, { state: documentOf(idOf(genesis), { alsoKnownAs: [idOf(portable)] }) })], '/state/id')
refuse('a document with services that are no list', [await first({ document: { service: {} } })], '/state/service', 'invalid-did')
refuse('a verification method without a controller', [await first({ document: { verificationMethod: [{ id: '#key', type: 'Multikey', publicKeyMultibase: a }] } })], '/state/verificationMethod/0', 'invalid-key')
refuse('a verification method with two keys', [await first({ document: { verificationMethod: [method(draftDid, { publicKeyMultibase: a, publicKeyJwk: toPublicJwk(alice.publicKey) })] } })], '/state/verificationMethod/0', 'invalid-key')

// Witness proofs and versions.
const witnessProof = async (versionId: string, signer: Signer, more: Members = {}) => {
  const { proofValue: _, ...options } = await prove({ versionId, versionTime: minute(1), parameters: {}, state: {} }, signer, more)
  const bytes = concat(sha256(canonicalBytes(options)), sha256(canonicalBytes({ versionId })))
  return { ...options, proofValue: `z${toBase58(await signer.sign(bytes))}` }
}
const item = async (entry: { versionId: string }, ...signers: Signer[]) => ({
  versionId: entry.versionId,
  proof: await Promise.all(signers.map((signer) => witnessProof(entry.versionId, signer))),
})
interface Asked {
  log?: Entry[]
  witness?: unknown
  query?: Members
  did?: string
}
const resolution = ({ log = [genesis], witness: file = null, query = {}, did }: Asked) => ({
  kind: 'resolution',
  now,
  did: did ?? idOf(log[0] as Entry),
  query,
  log,
  witness: file,
})
const resolves = (sentence: string, asked: Asked, metadata: Members) => {
  valid[sentence] = { ...resolution(asked), metadata }
}
const resolvesNot = (sentence: string, asked: Asked, code = 'did-not-witnessed') => {
  invalid[sentence] = { ...resolution(asked), code }
}
const bobOnly = { threshold: 1, witnesses: [{ id: `did:key:${b}` }] }
const carolOnly = { threshold: 1, witnesses: [{ id: `did:key:${multikeyOf(carol)}` }] }
const both = { ...witness, threshold: 2 }
const one = await first({ parameters: { witness: bobOnly } })
const two = await next(one)
const handedOver = await next(one, { parameters: { witness: carolOnly } })
const afterwards = await next(handedOver)
const dismissed = await next(one, { parameters: { witness: {} } })
const ended = await next(one, { parameters: { deactivated: true, updateKeys: [] } })
const needsBoth = await first({ parameters: { witness: both } })
const forgedProof = { ...(await witnessProof(one.versionId, bob)), created: minute(5) }

resolves('a witnessed log', { log: [one], witness: [await item(one, bob)] }, { versionId: one.versionId, deactivated: false })
resolves('a proof of a later version approves those before it', { log: [one, two], witness: [await item(two, bob)] }, { versionId: two.versionId })
resolves('an older version of a log whose newest proof is of a later one', { log: [one, two], witness: [await item(two, bob)], query: { versionNumber: 1 } }, { versionId: one.versionId, updated: minute(2) })
resolves('the newest version is the newest that is witnessed', { log: [one, two], witness: [await item(one, bob)] }, { versionId: one.versionId, updated: minute(1) })
resolves('a deactivation counts once it is witnessed', { log: [one, ended], witness: [await item(ended, bob)] }, { versionId: ended.versionId, deactivated: true })
resolves('a deactivation that is not witnessed does not count', { log: [one, ended], witness: [await item(one, bob)] }, { versionId: one.versionId, deactivated: false })
resolves('a new witness list counts from the next entry on', { log: [one, handedOver, afterwards], witness: [await item(handedOver, bob), await item(afterwards, carol)] }, { versionId: afterwards.versionId, witness: { ...carolOnly, threshold: '1' } })
resolves('entries after the witnesses were dismissed need none', { log: [one, dismissed, await next(dismissed)], witness: [await item(dismissed, bob)] }, { versionId: (await next(dismissed)).versionId })
resolves('a threshold is met by proofs of different versions', { log: [needsBoth, await next(needsBoth)], witness: [await item(await next(needsBoth), bob), await item(needsBoth, carol)] }, { versionId: needsBoth.versionId })
resolves('proofs of versions that are not published are ignored', { log: [one], witness: [await item(one, bob), await item({ versionId: '2-QmNotYet' }, bob)] }, { versionId: one.versionId })
resolves('proofs that do not verify are ignored where there are enough', { log: [one], witness: [{ versionId: one.versionId, proof: [forgedProof, await witnessProof(one.versionId, mallory), await witnessProof(one.versionId, bob)] }] }, { versionId: one.versionId })
resolves('an item without proofs is ignored', { log: [one], witness: [{ versionId: one.versionId }, await item(one, bob)] }, { versionId: one.versionId })
resolves('a log without witnesses needs no witness file', { log: [genesis], witness: 'no JSON' }, { versionId: genesis.versionId })
resolves('a version by its id', { log: [genesis, second], query: { versionId: genesis.versionId } }, { versionId: genesis.versionId, updated: minute(2) })
resolves('the version that was active at a time', { log: [genesis, second], query: { versionTime: '2026-01-01T00:01:59Z' } }, { versionId: genesis.versionId })
resolves('a version from the second on in which it was made', { log: [genesis, second], query: { versionTime: minute(2) } }, { versionId: second.versionId })
resolves('a moved DID by the name that it had before', { log: [portable, await next(portable, { state: documentOf(movedId, { alsoKnownAs: [idOf(portable)] }) })] }, { canonicalId: movedId })
resolves('an older version before an entry that does not follow', { log: [genesis, { ...second, versionTime: minute(3) }], query: { versionNumber: 1 } }, { versionId: genesis.versionId })
resolves('a deactivated DID with its metadata', { log: [genesis, deactivated] }, { deactivated: true, versionId: deactivated.versionId, ttl: '3600', portable: false, created: minute(1) })

resolvesNot('no witness file', { log: [one] })
resolvesNot('an empty witness file', { log: [one], witness: [] })
resolvesNot('fewer witnesses than the threshold', { log: [needsBoth], witness: [await item(needsBoth, bob)] })
resolvesNot('the same witness twice is one witness', { log: [needsBoth], witness: [await item(needsBoth, bob, bob), await item(needsBoth, bob)] })
resolvesNot('a proof by one who is no witness', { log: [one], witness: [await item(one, mallory)] })
resolvesNot('a proof by the controller who is no witness', { log: [one], witness: [await item(one, alice)] })
resolvesNot('a witness proof of another DID', { log: [one], witness: [await item(needsBoth, bob)] })
resolvesNot('a witness proof of another DID under the version of this one', { log: [one], witness: [{ versionId: one.versionId, proof: [await witnessProof(needsBoth.versionId, bob)] }] })
resolvesNot('a proof of an unpublished version approves none before it', { log: [one], witness: [await item(two, bob)] })
resolvesNot('a proof of an earlier version does not approve a later one', { log: [one, two], witness: [await item(one, bob)], query: { versionNumber: 2 } })
resolvesNot('an unwitnessed version by its id', { log: [one, two], witness: [await item(one, bob)], query: { versionId: two.versionId } })
resolvesNot('new witnesses do not witness the entry that names them', { log: [one, handedOver], witness: [await item(one, bob), await item(handedOver, carol)], query: { versionNumber: 2 } })
resolvesNot('old witnesses do not witness entries after their successors', { log: [one, handedOver, afterwards], witness: [await item(afterwards, bob)], query: { versionNumber: 3 } })
resolvesNot('the entry that dismisses its witnesses is witnessed by them', { log: [one, dismissed], witness: [await item(one, bob)], query: { versionNumber: 2 } })
resolvesNot('an entry after an unwitnessed one', { log: [one, dismissed, await next(dismissed)], witness: [await item(one, bob)], query: { versionNumber: 3 } })
for (const [sentence, proof] of [
  ['a witness proof for another purpose', await witnessProof(one.versionId, bob, { proofPurpose: 'authentication' })],
  ['a witness proof of another suite', await witnessProof(one.versionId, bob, { cryptosuite: 'eddsa-rdfc-2022' })],
  ['a witness proof of another type', await witnessProof(one.versionId, bob, { type: 'Ed25519Signature2020' })],
  ['a witness proof that expires', await witnessProof(one.versionId, bob, { expires: '2030-01-01T00:00:00Z' })],
  ['a witness proof whose fragment names another key', await witnessProof(one.versionId, mallory, { verificationMethod: `did:key:${b}#${multikeyOf(mallory)}` })],
  ['a witness proof that names its key alone', await witnessProof(one.versionId, bob, { verificationMethod: b })],
  ['a witness proof that was changed', forgedProof],
  ['a witness proof without a value', { ...forgedProof, proofValue: undefined }],
  ['a witness proof in the name of another', { ...(await witnessProof(one.versionId, mallory)), verificationMethod: `did:key:${b}#${b}` }],
] as const)
  resolvesNot(sentence, { log: [one], witness: [{ versionId: one.versionId, proof: [proof] }] })
for (const [sentence, file] of [
  ['a witness file that is not JSON', 'no JSON'],
  ['a witness file that is not a list', { versionId: one.versionId, proof: [] }],
  ['a witness file with a text for an item', [one.versionId]],
  ['a witness file with an item without a version', [{ proof: [await witnessProof(one.versionId, bob)] }]],
  ['a witness file with a proof outside a list', [{ versionId: one.versionId, proof: await witnessProof(one.versionId, bob) }]],
  ['a witness file with a text for a proof', [{ versionId: one.versionId, proof: ['proof'] }]],
  ['a witness file with a member twice', `[{"versionId":"${one.versionId}","versionId":"1-Qm","proof":[]}]`],
] as const)
  resolvesNot(sentence, { log: [one], witness: file }, 'invalid-did-log')
resolvesNot('a version id that there is not', { query: { versionId: '2-QmNone' } }, 'did-not-found')
resolvesNot('a version number that there is not', { query: { versionNumber: 2 } }, 'did-not-found')
resolvesNot('a time before the first version', { query: { versionTime: minute(0) } }, 'did-not-found')
resolvesNot('a time that is none', { query: { versionTime: 'yesterday' } }, 'invalid-request')
resolvesNot('a version asked for in two ways', { query: { versionNumber: 1, versionTime: minute(1) } }, 'invalid-request')
resolvesNot('the log of another DID', { did: idOf(portable) }, 'invalid-did-log')
resolvesNot('a log that is empty', { log: [], did: idOf(genesis) }, 'invalid-did-log')
resolvesNot('a log whose newest entry does not follow', { log: [genesis, { ...second, versionTime: minute(3) }] }, 'invalid-did-log')
resolvesNot('a time at which an entry that does not follow would count', { log: [genesis, { ...second, versionTime: minute(3) }], query: { versionTime: minute(4) } }, 'invalid-did-log')

// DID URLs.
const place = idOf(genesis)
const described = documentOf(place, {
  verificationMethod: [method(place, { publicKeyMultibase: a })],
  service: [
    { id: `${place}#api`, type: 'Api', serviceEndpoint: 'https://api.example/v1/' },
    { id: '#vault', type: 'Vault', serviceEndpoint: 'ipfs://bafy' },
  ],
})
const leads = (sentence: string, suffix: string, content: unknown, accept: string | null = null, document = described) => {
  valid[sentence] = { kind: 'dereferencing', didUrl: String(document.id) + suffix, accept, document, content }
}
const leadsNot = (sentence: string, suffix: string, error: string, accept: string | null = null, document = described) => {
  invalid[sentence] = { kind: 'dereferencing', didUrl: String(document.id) + suffix, accept, document, error }
}
const uriList = 'text/uri-list'
leads('a fragment names a verification method', '#key', { '@context': ['https://www.w3.org/ns/did/v1'], ...method(place, { publicKeyMultibase: a }) })
leads('a fragment names a service', '#api', { '@context': ['https://www.w3.org/ns/did/v1'], id: `${place}#api`, type: 'Api', serviceEndpoint: 'https://api.example/v1/' })
leads('a service is at its endpoint', '?service=api', ['https://api.example/v1/'], uriList)
leads('a relative reference is resolved at the service', '?service=api&relativeRef=doc%3Fa%3Db', ['https://api.example/v1/doc?a=b'], uriList)
leads('a fragment goes on to the service', '?service=api&relativeRef=doc#part', ['https://api.example/v1/doc#part'], uriList)
leads('a path leads into the folder of the DID', '/a/b.json', ['https://city.example/parties/grid/a/b.json'])
leads('whois leads to the presentation', '/whois', ['https://city.example/parties/grid/whois.vp'])
leads('the implied files service appends', '?service=files&relativeRef=%2Fa', ['https://city.example/parties/grid/a'], uriList)
leads('a DID without folders has its files at the root', '/whois', ['https://city.example/whois.vp'], null, documentOf(place.replace(':parties:grid', '')))
leadsNot('a fragment that names nothing', '#none', 'notFound')
leadsNot('a service that there is not', '?service=none', 'notFound', uriList)
leadsNot('a parameter that is not known', '?hl=zQm', 'notFound')
leadsNot('a path that leads up', '/../a', 'invalidDidUrl')
leadsNot('a path that leads up when it is decoded', '/%2e%2e/a', 'invalidDidUrl')
leadsNot('a relative reference to another host', '?service=api&relativeRef=%2F%2Fmallory.example%2F', 'invalidDidUrl', uriList)
leadsNot('a relative reference that is a whole URL', '?service=api&relativeRef=https%3A%2F%2Fmallory.example%2F', 'invalidDidUrl', uriList)
leadsNot('a relative reference that leads up', '?service=api&relativeRef=..%2Fa', 'invalidDidUrl', uriList)
leadsNot('a parameter that stands twice', '?service=api&service=vault', 'invalidDidUrl', uriList)
leadsNot('a query that is not encoded correctly', '?service=%ff', 'invalidDidUrl', uriList)
leadsNot('a service in a form that there is not', '?service=api', 'representationNotSupported', 'text/html')
leadsNot('files at a place that is no web address', '/a', 'invalidDid', null, documentOf(place, { service: [{ id: '#files', type: 'relativeRef', serviceEndpoint: 'ipfs://bafy' }] }))

for (const [folder, vectors] of Object.entries({ valid, invalid })) {
  const directory = new URL(`${folder}/`, import.meta.url)
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  for (const [sentence, vector] of Object.entries(vectors)) {
    const file = `${sentence.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}.json`
    writeFileSync(new URL(file, directory), `${JSON.stringify(vector, null, 2)}\n`)
  }
}

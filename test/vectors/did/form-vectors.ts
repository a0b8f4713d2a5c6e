// Adds entries, proofs, parameters and documents that are not of the form.
import { toBase58, toBase64url } from '@tillit/codec'
import { toPublicJwk } from '@tillit/keys'
import { accept, refuse } from './collected.ts'
import { a, alice, b, bob, commit, deactivated, documentOf, draftDid, ed25519Multikey, es256, first, genesis, hash, idOf, type Members, method, minute, multikeyOf, next, portable, preRotated, rotated, second, sha512Name, witness } from './make-entry.ts'

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

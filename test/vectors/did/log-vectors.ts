// Adds logs that verify and logs that do not, and DIDs that are none.
import { concat, toBase58, toBase64url, utf8 } from '@tillit/codec'
import { type Signer, toPublicJwk } from '@tillit/keys'
import { accept, invalid, refuse, valid } from './collected.ts'
import { a, alice, b, bob, commit, deactivated, documentOf, draftDid, ed25519Multikey, type Entry, es256, finish, first, genesis, hash, identity, idOf, mallory, method, minute, movedId, multikeyOf, next, placeholder, portable, preRotated, revealed, rotated, second, smallOrder, witness } from './make-entry.ts'

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

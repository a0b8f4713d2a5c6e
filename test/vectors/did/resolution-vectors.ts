// Adds witness proofs, and versions that are asked for.
import { canonicalBytes, concat, sha256, toBase58 } from '@tillit/codec'
import type { Signer } from '@tillit/keys'
import { invalid, valid } from './collected.ts'
import { a, alice, b, bob, carol, deactivated, documentOf, type Entry, first, genesis, idOf, mallory, type Members, minute, movedId, multikeyOf, next, now, portable, prove, second, witness } from './make-entry.ts'

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
resolves('an approved version that is named before one that is not witnessed', { log: [one, two], witness: [await item(one, bob)], query: { versionNumber: 1 } }, { versionId: one.versionId, updated: minute(1) })
resolvesNot('a newest version that no witness has approved', { log: [one, two], witness: [await item(one, bob)] })
resolves('a deactivation counts once it is witnessed', { log: [one, ended], witness: [await item(ended, bob)] }, { versionId: ended.versionId, deactivated: true })
resolvesNot('a deactivation that is not witnessed', { log: [one, ended], witness: [await item(one, bob)] })
resolves('a new witness list counts from the next entry on', { log: [one, handedOver, afterwards], witness: [await item(handedOver, bob), await item(afterwards, carol)] }, { versionId: afterwards.versionId, witness: { ...carolOnly, threshold: '1' } })
resolves('entries after the witnesses were dismissed need none', { log: [one, dismissed, await next(dismissed)], witness: [await item(dismissed, bob)] }, { versionId: (await next(dismissed)).versionId })
resolves('a threshold is met by proofs of different versions', { log: [needsBoth, await next(needsBoth)], witness: [await item(await next(needsBoth), bob), await item(needsBoth, carol)], query: { versionNumber: 1 } }, { versionId: needsBoth.versionId })
resolvesNot('a newest version approved by one of two witnesses', { log: [needsBoth, await next(needsBoth)], witness: [await item(await next(needsBoth), bob), await item(needsBoth, carol)] })
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

import { canonicalBytes, sha256 } from '@tillit/codec'
import { type Signer, verifySignature } from '@tillit/keys'
import { isProblem } from '@tillit/problem'
import { createProof, type Proof, readProof } from './data-integrity.ts'
import type { DidState } from './next-state.ts'
import { refuseEntry } from './refuse-entry.ts'
import { signatureFault } from './signature-check.ts'
import type { WitnessProofs } from './witness-file.ts'

/** Proofs that do not verify are passed over, but a file full of them is not read to its end. */
const maxFailedProofs = 64

/** What witnessing asks of a version; every DidState has it. */
export type WitnessedVersion = Pick<DidState, 'versionId' | 'versionNumber' | 'requiredWitness'>

/** A verified proof: `witness` is the did:key of who made it. */
export interface WitnessApproval {
  readonly witness: string
  readonly proof: Proof
}

/**
 * A witness approves a version and all before it: its item for the `did-witness.json`. Whoever calls this has verified the
 * log up to there. Throws Problem unsupported-algorithm for a signer that is not Ed25519.
 */
export async function witnessEntry(versionId: string, signer: Signer, created: Date): Promise<WitnessProofs> {
  return { versionId, proof: [await createProof(digestOf(versionId), signer, created.toISOString())] }
}

/**
 * Verifies every proof of an item: each by one of `witnesses` (did:key), each witness once. For whoever takes proofs in;
 * a resolver asks {@link witnessedPrefix}. Throws Problem invalid-did-log with the place, weak-key or invalid-key.
 */
export function verifyWitnessProofs(item: WitnessProofs, witnesses: readonly string[]): WitnessApproval[] {
  const seen = new Set<string>()
  return item.proof.map((proof, index) => {
    const approval = verifyWitnessProof(item.versionId, proof, { witnesses, pointer: `/proof/${index}` })
    if (seen.has(approval.witness)) throw refuseEntry('A witness stands twice', `/proof/${index}`)
    seen.add(approval.witness)
    return approval
  })
}

/**
 * How many versions, from the first on, a threshold of their witnesses approves (did:webvh v1.0, "Verifying Witness Proofs
 * During Resolution"). `versions` are all states of a verified log in order. A proof of a later version of the log
 * approves those before it; proofs of versions that are not in the log, by others, or that do not verify count for nothing.
 */
export function witnessedPrefix(versions: readonly WitnessedVersion[], items: readonly WitnessProofs[]): number {
  if (versions.every(({ requiredWitness }) => requiredWitness === null)) return versions.length
  const approved = newestApprovals(versions, items)
  const missing = versions.findIndex(({ versionNumber, requiredWitness }) => {
    if (requiredWitness === null) return false
    const approvals = requiredWitness.witnesses.filter(({ id }) => (approved.get(id) ?? 0) >= versionNumber)
    return approvals.length < requiredWitness.threshold
  })
  return missing < 0 ? versions.length : missing
}

/**
 * How many versions may be published with these proofs. A proof of a version that is not published stands for none before it
 * (did:webvh v1.0, "The Witness Proofs File"), so the versions are shortened until their own proofs suffice.
 */
export function publishablePrefix(versions: readonly WitnessedVersion[], items: readonly WitnessProofs[]): number {
  let count = versions.length
  for (;;) {
    const witnessed = witnessedPrefix(versions.slice(0, count), items)
    if (witnessed === count) return count
    count = witnessed
  }
}

/** The newest proof of each witness is enough, as it stands for those before it: what a controller keeps in the file. */
export function pruneWitnessProofs(
  versions: readonly WitnessedVersion[],
  items: readonly WitnessProofs[],
): WitnessProofs[] {
  const numbers = numbersOf(versions)
  const seen = new Set<unknown>()
  const known = items.filter(({ versionId }) => numbers.has(versionId))
  const pruned = newestFirst(known, numbers).map(({ versionId, proof }) => ({
    versionId,
    proof: proof.filter(({ verificationMethod }) => {
      if (seen.has(verificationMethod)) return false
      seen.add(verificationMethod)
      return true
    }),
  }))
  // Proofs of versions that are not published yet stay: they stand for themselves only.
  const unknown = items.filter(({ versionId }) => !numbers.has(versionId))
  return [...pruned.reverse(), ...unknown].filter(({ proof }) => proof.length > 0)
}

/** For each witness the number of the newest version that it approves. */
function newestApprovals(
  versions: readonly WitnessedVersion[],
  items: readonly WitnessProofs[],
): ReadonlyMap<string, number> {
  const witnesses = new Set(
    versions.flatMap(({ requiredWitness }) => (requiredWitness?.witnesses ?? []).map(({ id }) => id)),
  )
  const numbers = numbersOf(versions)
  const approved = new Map<string, number>()
  let failed = 0
  for (const { versionId, proof: proofs } of newestFirst(items, numbers)) {
    const number = numbers.get(versionId)
    if (number === undefined) continue
    for (const proof of proofs) {
      const witness = witnessNamed(proof)
      if (!witnesses.has(witness) || approved.has(witness)) continue
      if (verifies(versionId, proof, witness)) approved.set(witness, number)
      else if (++failed === maxFailedProofs) return approved
    }
  }
  return approved
}

function verifies(versionId: string, proof: Proof, witness: string): boolean {
  try {
    verifyWitnessProof(versionId, proof, { witnesses: [witness], pointer: '' })
    return true
  } catch (error) {
    if (isProblem(error)) return false
    throw error
  }
}

function verifyWitnessProof(
  versionId: string,
  proof: Proof,
  { witnesses, pointer }: { witnesses: readonly string[]; pointer: string },
): WitnessApproval {
  const authorized = witnesses.map((witness) => witness.slice('did:key:'.length))
  const { key, message, signature } = readProof(proof, digestOf(versionId), { authorized, pointer })
  if (!verifySignature(key, message, signature)) throw signatureFault(pointer)
  return { witness: witnessNamed(proof), proof }
}

/** The did:key before the `#`. That the fragment names the same key is checked where the proof is read. */
function witnessNamed({ verificationMethod }: Proof): string {
  return typeof verificationMethod === 'string' ? (verificationMethod.split('#')[0] ?? '') : ''
}

/** What a witness signs: the version id as the one member of an object. */
function digestOf(versionId: string): Uint8Array {
  return sha256(canonicalBytes({ versionId }))
}

function numbersOf(versions: readonly WitnessedVersion[]): ReadonlyMap<string, number> {
  return new Map(versions.map(({ versionId, versionNumber }) => [versionId, versionNumber]))
}

function newestFirst(items: readonly WitnessProofs[], numbers: ReadonlyMap<string, number>): WitnessProofs[] {
  return [...items].sort((a, b) => (numbers.get(b.versionId) ?? 0) - (numbers.get(a.versionId) ?? 0))
}

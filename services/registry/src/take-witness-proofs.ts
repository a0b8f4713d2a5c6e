import { parseJson, utf8 } from '@tillit/codec'
import {
  type DidState,
  formatDidWitnessFile,
  maxWitnessFileCharacters,
  publishablePrefix,
  verifyWitnessProofs,
} from '@tillit/did'
import { Problem } from '@tillit/problem'
import type { DidWitnessing, DidWitnessProofs } from '@tillit/schemas'
import type { DidStore, StoredWitnessProof } from './did-store.ts'
import type { RegistryPorts } from './ports.ts'
import type { VerifiedLogs } from './verified-logs.ts'

/** How often the proofs are looked at again when entries came in between. */
const maxLooks = 3

export interface WitnessingParts {
  readonly store: DidStore
  readonly logs: VerifiedLogs
  readonly now: RegistryPorts['now']
}

/**
 * Takes proofs of the witnesses that a DID names, and publishes the versions that are sufficiently witnessed with them. Each
 * proof is stored once; sending it again changes nothing. Throws Problem did-not-found, did-erased, invalid-did-log for a
 * version that is not known and for a proof that is not by one of its witnesses or does not verify, body-too-large when all
 * proofs together would be more than a resolver reads.
 */
export async function takeWitnessProofs(
  did: string,
  items: readonly DidWitnessProofs[],
  parts: WitnessingParts,
): Promise<DidWitnessing> {
  for (let look = 1; look <= maxLooks; look++) {
    const head = await parts.store.readHead(did)
    if (head === null) throw await noSuchDid(did, parts.store)
    const states = await parts.logs.statesOf(head)
    const proofs = items.flatMap((item, index) => verifiedProofs(item, states, `/${index}`))
    const published = await storeProofs(did, proofs, { states, ...parts })
    if (published !== null) return published
    // An entry was added meanwhile, and what the proofs publish depends on it.
  }
  throw new Problem('did-conflict')
}

/** null when the DID is not as it was when `states` were read. */
async function storeProofs(
  did: string,
  proofs: readonly StoredWitnessProof[],
  { states, store, now }: { states: readonly DidState[] } & WitnessingParts,
): Promise<DidWitnessing | null> {
  return store.holdDid(did, async (held) => {
    if (held.newestVersion !== states.length) return null
    for (const proof of proofs) await held.insertWitnessProof(proof, now())
    const file = toWitnessFile(await held.readWitnessProofs())
    refuseTooLong(file)
    const published = publishablePrefix(states, file)
    await held.publish(published)
    return {
      did,
      published_version_id: states[published - 1]?.versionId ?? null,
      waiting_versions: states.length - published,
    }
  })
}

/** Throws Problem invalid-did-log for a proof of a version that is not known, or that is not by one of its witnesses. */
export function verifiedProofs(
  item: DidWitnessProofs,
  states: readonly DidState[],
  pointer: string,
): StoredWitnessProof[] {
  const state = states.find(({ versionId }) => versionId === item.versionId)
  if (state === undefined)
    throw new Problem('invalid-did-log', { detail: 'The DID has no such version', pointer: `${pointer}/versionId` })
  return verifyWitnessProofs(item, witnessesUpTo(states, state)).map(({ witness, proof }) => ({
    versionNumber: state.versionNumber,
    versionId: state.versionId,
    witness,
    proof: JSON.stringify(proof),
  }))
}

/** A proof approves all versions before it too, so a witness of any of them may sign this one. */
function witnessesUpTo(states: readonly DidState[], { versionNumber }: DidState): string[] {
  const named = states.slice(0, versionNumber).flatMap(({ requiredWitness }) => requiredWitness?.witnesses ?? [])
  return [...new Set(named.map(({ id }) => id))]
}

/** Resolvers read so many bytes of a did-witness.json and no more. Throws Problem body-too-large. */
export function refuseTooLong(file: readonly DidWitnessProofs[]): void {
  if (utf8(formatDidWitnessFile(file)).length > maxWitnessFileCharacters)
    throw new Problem('body-too-large', { detail: 'The proofs of the DID are more than a resolver reads' })
}

/** The items of did-witness.json. */
export function toWitnessFile(proofs: readonly StoredWitnessProof[]): DidWitnessProofs[] {
  const items = new Map<string, Record<string, unknown>[]>()
  for (const { versionId, proof } of proofs)
    items.set(versionId, [...(items.get(versionId) ?? []), parseJson(proof) as Record<string, unknown>])
  return [...items].map(([versionId, proof]) => ({ versionId, proof }))
}

async function noSuchDid(did: string, store: DidStore): Promise<Problem> {
  if ((await store.readErased([did])).has(did)) return new Problem('did-erased')
  return new Problem('did-not-found', { detail: 'The DID is not registered here' })
}

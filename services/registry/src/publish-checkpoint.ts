import { equalBytes } from '@tillit/codec'
import { type TrustPolicy, verifyWithPolicy } from '@tillit/log'
import { Problem } from '@tillit/problem'
import { type Collected, collectCosignatures } from './collect-cosignatures.ts'
import type { LogReader, SignedCheckpoint } from './log-store.ts'
import type { RegistryPorts } from './ports.ts'
import type { PublicationStore, WitnessState } from './publication-store.ts'
import { addSignatures, cosignersOf, isCosigned } from './renew-note.ts'
import type { Witnessing } from './witnessing.ts'

export interface PublishParts extends Pick<RegistryPorts, 'now'> {
  readonly log: LogReader
  readonly publications: PublicationStore
  readonly witnessing: Witnessing
  /** Told what each witness did. */
  readonly onAnswers: (states: readonly WitnessState[]) => void
  /** Ends the round without a result. */
  readonly signal: AbortSignal
}

/**
 * Takes the newest signed checkpoint to the witnesses and makes it public once their cosignatures meet the policy; older
 * ones that were not published stay so. The newest published one is published again, its note with more signatures, when the
 * log has signed it with a new key or it lacks cosignatures under the policy of now. Gives whether it published one. Throws
 * Problem checkpoint-not-witnessed when the quorum is not met: the log goes on, and the next round asks for whatever is newest.
 */
export async function publishNewestCheckpoint(parts: PublishParts): Promise<boolean> {
  const { log, publications, witnessing } = parts
  const signed = await log.newestSigned()
  const published = await publications.newest()
  if (signed === null || signed.size < (published?.size ?? 0)) return false
  const shown = published?.size === signed.size ? published.note : null
  const note = shown === null ? signed.note : addSignatures(shown, signed.note)
  // Cosignatures are of the tree, whichever key the log signs it with: those that it has still hold.
  const enough = shown !== null && isCosigned(note, witnessing.policy)
  if (enough && note === shown) return false
  const complete = enough ? note : note + (await cosign(note, signed, parts))
  requireWitnessed(complete, signed, witnessing.policy)
  await publications.publish({ size: signed.size, note: complete, publishedAt: parts.now() })
  return true
}

/** The cosignatures that the note lacks, as lines. */
async function cosign(note: string, signed: SignedCheckpoint, parts: PublishParts): Promise<string> {
  const { log, publications, witnessing } = parts
  const known = await publications.readWitnesses()
  const { readTiles } = log
  const collected = await collectCosignatures(signed, witnessing, { known, readTiles, signal: parts.signal })
  // A stop is no fault of the witnesses; the next start asks again.
  parts.signal.throwIfAborted()
  parts.onAnswers(collected.states)
  // A crash from here to the end leaves witnesses that have cosigned more than we know; their 409 says how much.
  await publications.saveWitnesses(collected.states)
  if (!collected.quorumMet) throw notWitnessed(collected, witnessing.policy)
  const has = cosignersOf(note, witnessing.policy)
  return collected.cosignatures.flatMap(({ name, line }) => (has.has(name) ? [] : [line])).join('')
}

/** What everyone else will check, checked by us: nothing goes out that does not pass. */
function requireWitnessed(note: string, { size, root }: SignedCheckpoint, policy: TrustPolicy): void {
  const { checkpoint } = verifyWithPolicy(note, policy)
  if (checkpoint.size !== size || !equalBytes(checkpoint.root, root)) {
    throw new Problem('log-inconsistent', { detail: 'The signed checkpoint is of another tree than its note says' })
  }
}

function notWitnessed({ cosignatures, states }: Collected, { quorum, witnesses }: TrustPolicy): Problem {
  const faults = states.flatMap(({ name, fault }) => (fault === null ? [] : [`${name}: ${fault}`]))
  const unasked = witnesses.filter(({ name }) => states.every((state) => state.name !== name)).length
  const why = [...faults, ...(unasked > 0 ? [`${unasked} cannot be asked, for lack of a URL`] : [])].join('; ')
  return new Problem('checkpoint-not-witnessed', {
    detail: `Nothing new is published: ${cosignatures.length} of ${witnesses.length} witnesses cosigned, and the quorum ${quorum} is not met (${why})`,
  })
}

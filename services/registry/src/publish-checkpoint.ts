import { equalBytes } from '@tillit/codec'
import { type TrustPolicy, verifyWithPolicy } from '@tillit/log'
import { Problem } from '@tillit/problem'
import { type Collected, collectCosignatures } from './collect-cosignatures.ts'
import type { LogReader, SignedCheckpoint } from './log-store.ts'
import type { RegistryPorts } from './ports.ts'
import type { PublicationStore, WitnessState } from './publication-store.ts'
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
 * ones that were not published stay so. Gives whether it published one. Throws Problem checkpoint-not-witnessed when the
 * quorum is not met: the log goes on, and the next round asks for whatever is newest then.
 */
export async function publishNewestCheckpoint(parts: PublishParts): Promise<boolean> {
  const { log, publications, witnessing } = parts
  const signed = await log.newestSigned()
  const published = await publications.newest()
  if (signed === null || signed.size <= (published?.size ?? 0)) return false
  const known = await publications.readWitnesses()
  const { readTiles } = log
  const collected = await collectCosignatures(signed, witnessing, { known, readTiles, signal: parts.signal })
  // A stop is no fault of the witnesses; the next start asks again.
  parts.signal.throwIfAborted()
  parts.onAnswers(collected.states)
  // A crash from here to the end leaves witnesses that have cosigned more than we know; their 409 says how much.
  await publications.saveWitnesses(collected.states)
  if (!collected.quorumMet) throw notWitnessed(collected, witnessing.policy)
  const note = signed.note + collected.cosignatures.map(({ line }) => line).join('')
  requireWitnessed(note, signed, witnessing.policy)
  await publications.publish({ size: signed.size, note, publishedAt: parts.now() })
  return true
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

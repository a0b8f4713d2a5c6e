import { Problem } from '@tillit/problem'
import { type Checkpoint, parseCheckpoint } from './checkpoint.ts'
import { cosignatureIn } from './cosignature.ts'
import { isSignedBy, parseNote } from './note.ts'
import { quorumMet, type TrustPolicy } from './trust-policy.ts'

export interface WitnessedCheckpoint {
  readonly checkpoint: Checkpoint
  /** The policy's witnesses whose cosignatures verify, by their names in the policy, in its order. */
  readonly cosignedBy: readonly { readonly name: string; readonly timestampSeconds: number }[]
}

/**
 * Gives the checkpoint in a note that one of the policy's logs signed and enough of its witnesses cosigned (C2SP
 * tlog-policy). Signatures by others are ignored; one by a key of the policy that does not verify spoils the note. Throws
 * Problem invalid-checkpoint when it is malformed or not signed by a log of the policy, checkpoint-not-witnessed when the
 * quorum is not met.
 */
export function verifyWithPolicy(note: string, policy: TrustPolicy): WitnessedCheckpoint {
  const parsed = parseNote(note)
  const checkpoint = parseCheckpoint(parsed.text)
  // The name of a log's key is its origin: a log must not sign for another one.
  const signers = policy.logs.filter(({ key }) => key.name === checkpoint.origin && isSignedBy(parsed, key))
  if (signers.length === 0)
    throw new Problem('invalid-checkpoint', { detail: 'The checkpoint is not signed by a log of the policy' })
  const cosignedBy = policy.witnesses.flatMap(({ name, key }) => {
    const cosignature = cosignatureIn(parsed, key)
    return cosignature === null ? [] : [{ name, timestampSeconds: cosignature.timestampSeconds }]
  })
  if (!quorumMet(policy, new Set(cosignedBy.map(({ name }) => name))))
    throw new Problem('checkpoint-not-witnessed', {
      detail: `The quorum ${policy.quorum} is not met: witnesses of the policy that cosigned: ${cosignedBy.length}`,
    })
  return { checkpoint, cosignedBy }
}

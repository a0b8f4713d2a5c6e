import { equalBytes } from '@tillit/codec'
import { isProblem } from '@tillit/problem'
import type { ParsedAddCheckpoint } from './add-checkpoint.ts'
import { emptyRoot } from './merkle.ts'
import { verifiedSignatures } from './note.ts'
import type { VerifierKey } from './verifier-key.ts'
import { type TreeHead, verifyConsistency } from './verify-consistency.ts'

/** What a witness knows of the log that a request speaks of. */
export interface KnownLog {
  /** The keys it trusts for the origin; null when the origin is unknown. */
  readonly keys: readonly VerifierKey[] | null
  /** The tree it cosigned last; null when it never cosigned one. */
  readonly latest: TreeHead | null
}

/** The outcome of add-checkpoint, with its HTTP status (C2SP tlog-witness). */
export type Verdict =
  /** The checkpoint follows from what was cosigned before. */
  | { readonly verdict: 'cosign'; readonly status: 200 }
  /** The client thinks that another size was cosigned last: `size` is the one. */
  | { readonly verdict: 'other-size'; readonly status: 409; readonly size: number }
  /** Signed by the log, but not shown to follow: if the log meant it, it forks. */
  | { readonly verdict: 'inconsistent'; readonly status: 409 | 422; readonly detail: string }
  | { readonly verdict: 'refused'; readonly status: 400 | 403 | 404; readonly detail: string }

/** Decides whether a witness may cosign, in the order of C2SP tlog-witness, add-checkpoint. Never throws. */
export function judgeCheckpoint(request: ParsedAddCheckpoint, known: KnownLog): Verdict {
  const { checkpoint, oldSize, proof } = request
  if (known.keys === null) return refused(404, 'The origin is not one of a log known here')
  // C2SP tlog-witness: one that verifies is enough. A wrong one beside it may be anyone's.
  const signed = (key: VerifierKey) => verifiedSignatures(request.parsedNote, key).length > 0
  if (!known.keys.some((key) => key.name === checkpoint.origin && signed(key)))
    return refused(403, 'No key that is trusted for the origin signed the checkpoint')
  if (oldSize > checkpoint.size) return refused(400, 'The old size is larger than that of the checkpoint')

  const latest = known.latest ?? { size: 0, root: emptyRoot() }
  if (oldSize !== latest.size) return { verdict: 'other-size', status: 409, size: latest.size }
  if (oldSize === checkpoint.size && !equalBytes(latest.root, checkpoint.root))
    return { verdict: 'inconsistent', status: 409, detail: 'Another root was cosigned for this size' }
  try {
    verifyConsistency(latest, checkpoint, proof)
  } catch (error) {
    if (!isProblem(error, 'invalid-proof')) throw error
    return { verdict: 'inconsistent', status: 422, detail: error.message }
  }
  return { verdict: 'cosign', status: 200 }
}

function refused(status: 400 | 403 | 404, detail: string): Verdict {
  return { verdict: 'refused', status, detail }
}

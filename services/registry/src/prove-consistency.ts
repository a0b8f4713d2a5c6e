import { toHex } from '@tillit/codec'
import { Problem } from '@tillit/problem'
import type { ConsistencyProof } from '@tillit/schemas'
import type { PublishedLog } from './published-log.ts'

/** Proves that the log of `from` entries is a beginning of that of `to`. Throws Problem invalid-request, log-entry-not-found. */
export async function proveConsistency(
  { from, to }: { from: number; to: number },
  log: PublishedLog,
): Promise<ConsistencyProof> {
  if (from > to) throw new Problem('invalid-request', { detail: 'from is larger than to', pointer: 'from' })
  if (!(await log.reaches(to))) {
    throw new Problem('log-entry-not-found', { detail: 'The log has not published a checkpoint of that size yet' })
  }
  return { from, to, hashes: (await log.prover.consistencyProof(from, to)).map(toHex) }
}

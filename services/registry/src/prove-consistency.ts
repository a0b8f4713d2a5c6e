import { toHex } from '@tillit/codec'
import { consistencyProof } from '@tillit/log'
import { Problem } from '@tillit/problem'
import { Sha256Hex } from '@tillit/schemas'
import { type Static, Type } from 'typebox'
import type { LogReader } from './log-store.ts'

export const ConsistencyProof = Type.Object(
  {
    from: Type.Integer({ minimum: 0 }),
    to: Type.Integer({ minimum: 0 }),
    hashes: Type.Array(Sha256Hex, { description: 'RFC 9162 section 2.1.4' }),
  },
  { $id: 'ConsistencyProof', additionalProperties: false },
)

/** Proves that the log of `from` entries is a beginning of that of `to`. Throws Problem invalid-request, log-entry-not-found. */
export async function proveConsistency(
  { from, to }: { from: number; to: number },
  log: LogReader,
): Promise<Static<typeof ConsistencyProof>> {
  if (from > to) throw new Problem('invalid-request', { detail: 'from is larger than to', pointer: 'from' })
  const newest = await log.newestCheckpoint()
  if (newest === null || to > newest.size) {
    throw new Problem('log-entry-not-found', { detail: 'The log has not signed a checkpoint of that size yet' })
  }
  return { from, to, hashes: (await consistencyProof(from, to, log.readTiles)).map(toHex) }
}

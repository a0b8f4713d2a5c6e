import { equalBytes } from '@tillit/codec'
import type { Ledger } from '@tillit/ledger'
import { Problem } from '@tillit/problem'
import type { LogReader } from './log-store.ts'
import type { PublishedLog } from './published-log.ts'

export interface ComparedLog {
  readonly log: Pick<LogReader, 'readSize'>
  readonly published: Pick<PublishedLog, 'prover'>
}

/**
 * Whether the log, all of what is stored of it, holds the newest head of the ledger: the Problem anchor-mismatch when it does
 * not, or null. A database put back from an old copy shows a smaller log here, and one that grew on from there another root.
 * The embedded ledger of a development city may hold more, as its folder and the database are put back one without the other.
 * Throws Problem ledger-unavailable.
 */
export async function compareWithLedger(
  ledger: Pick<Ledger, 'latest'>,
  { log, published }: ComparedLog,
  { embedded }: { embedded: boolean },
): Promise<Problem | null> {
  const held = await ledger.latest()
  if (held === null) return null
  if (held.size > (await log.readSize())) return embedded ? null : contradicts(held.size)
  return equalBytes(await published.prover.root(held.size), held.root) ? null : contradicts(held.size)
}

function contradicts(size: number): Problem {
  return new Problem('anchor-mismatch', {
    detail: `The ledger holds a log of ${size} entries that is not ours: nothing is signed or published until it does`,
  })
}

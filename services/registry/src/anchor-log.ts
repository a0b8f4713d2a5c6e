import { equalBytes } from '@tillit/codec'
import type { AnchoredHead, Ledger } from '@tillit/ledger'
import { Problem } from '@tillit/problem'
import type { AnchorStore } from './anchor-store.ts'
import type { LogReader } from './log-store.ts'
import type { RegistryPorts } from './ports.ts'

/**
 * Brings the newest checkpoint onto the ledger, after comparing what the ledger holds with what we know of it. Gives the
 * anchored size. Throws Problem ledger-unavailable (nothing is lost, the next round tries again) and anchor-mismatch when
 * the ledger contradicts our log: an alarm, as either was tampered with.
 */
export async function anchorLog(
  ledger: Ledger,
  { log, anchors, now }: { log: LogReader; anchors: AnchorStore } & Pick<RegistryPorts, 'now'>,
): Promise<number> {
  const held = await ledger.latest()
  await forgetLostAnchors(ledger, held, { anchors, now })
  await requireOwnHead(ledger, held, { log, anchors })
  const checkpoint = await log.newestCheckpoint()
  if (checkpoint === null || checkpoint.size <= (held?.size ?? 0)) return held?.size ?? 0
  // A crash after this line leaves an anchor that we do not know of; requireOwnHead finds and records it.
  const record = await ledger.anchor(checkpoint.root, checkpoint.size)
  await anchors.insert(record)
  return record.size
}

/** A development chain can come back empty or older than it was, and an operator can move to another contract. */
async function forgetLostAnchors(
  ledger: Ledger,
  held: AnchoredHead | null,
  { anchors, now }: { anchors: AnchorStore } & Pick<RegistryPorts, 'now'>,
): Promise<void> {
  await anchors.markLost({ elsewhere: { chainId: ledger.chainId, contract: ledger.contract } }, now())
  await anchors.markLost({ largerThan: held?.size ?? 0 }, now())
  const newest = await anchors.newest()
  if (newest === null) return
  // A fresh chain that has been anchored anew holds none of the transactions that we know.
  const found = await ledger.confirm(newest.transaction)
  if (found?.size !== newest.size) await anchors.markLost({ largerThan: 0 }, now())
}

/** What the ledger holds must be a checkpoint of ours; one that we did not get to record is recorded now. */
async function requireOwnHead(
  ledger: Ledger,
  held: AnchoredHead | null,
  { log, anchors }: { log: LogReader; anchors: AnchorStore },
): Promise<void> {
  if (held === null || (await anchors.ofSize(held.size)) !== null) return
  const checkpoint = await log.readCheckpoint(held.size)
  if (checkpoint === null || !equalBytes(checkpoint.root, held.root)) {
    throw new Problem('anchor-mismatch', { detail: `The ledger holds a log of ${held.size} entries that is not ours` })
  }
  const record = await ledger.find(held.size)
  if (record !== null) await anchors.insert(record)
}

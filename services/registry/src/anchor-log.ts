import { equalBytes } from '@tillit/codec'
import type { AnchoredHead, Ledger } from '@tillit/ledger'
import { Problem } from '@tillit/problem'
import type { AnchorStore } from './anchor-store.ts'
import type { RegistryPorts } from './ports.ts'
import type { PublicationReader } from './publication-store.ts'

export interface AnchorParts extends Pick<RegistryPorts, 'now'> {
  readonly publications: PublicationReader
  readonly anchors: AnchorStore
  /** Told when the ledger does not hold anchors (any more) that it held. */
  readonly onLost: (count: number) => void
}

/**
 * Brings the newest published checkpoint onto the ledger, after comparing what the ledger holds with what we know of it. One
 * transaction catches up, however long the ledger was away. Throws Problem ledger-unavailable, anchor-not-confirmed and
 * anchor-fee-too-high (nothing is lost, the next round goes on) and anchor-mismatch when the ledger contradicts our log: an
 * alarm, as either was tampered with.
 */
export async function anchorLog(ledger: Ledger, parts: AnchorParts): Promise<void> {
  const held = await ledger.latest()
  await forgetLostAnchors(ledger, held, parts)
  await requireOwnHead(ledger, held, parts)
  const { publications, anchors } = parts
  const checkpoint = await publications.newest()
  if (checkpoint === null || checkpoint.size === 0) return
  // One that is on the ledger and not recorded yet waits for its confirmations; asking again never pays again.
  if ((await anchors.ofSize(checkpoint.size)) !== null) return
  // A crash after this line leaves an anchor that we do not know of; requireOwnHead finds and records it.
  await anchors.insert(await ledger.anchor(checkpoint.root, checkpoint.size))
}

/** A chain can be reorganised, a development chain come back empty or older, and an operator move to another contract. */
async function forgetLostAnchors(
  ledger: Ledger,
  held: AnchoredHead | null,
  { anchors, now, onLost }: AnchorParts,
): Promise<void> {
  await anchors.markLost({ elsewhere: { chainId: ledger.chainId, contract: ledger.contract } }, now())
  let lost = await anchors.markLost({ largerThan: held?.size ?? 0 }, now())
  const newest = await anchors.newest()
  // A fresh chain that has been anchored anew holds none of the transactions that we know.
  if (newest !== null && (await ledger.confirm(newest.transaction))?.size !== newest.size)
    lost += await anchors.markLost({ largerThan: 0 }, now())
  if (lost > 0) onLost(lost)
}

/** What the ledger holds must be a checkpoint of ours; one that we did not get to record is recorded now. */
async function requireOwnHead(
  ledger: Ledger,
  held: AnchoredHead | null,
  { publications, anchors }: AnchorParts,
): Promise<void> {
  if (held === null) return
  const known = await anchors.ofSize(held.size)
  const checkpoint = known ?? (await publications.ofSize(held.size))
  if (checkpoint === null || !equalBytes(checkpoint.root, held.root)) {
    throw new Problem('anchor-mismatch', { detail: `The ledger holds a log of ${held.size} entries that is not ours` })
  }
  if (known !== null) return
  const record = await ledger.find(held.size)
  if (record !== null) await anchors.insert(record)
}

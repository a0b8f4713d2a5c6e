import { equalBytes } from '@tillit/codec'
import type { AnchoredHead, Ledger } from '@tillit/ledger'
import { Problem } from '@tillit/problem'
import type { AnchorStore } from './anchor-store.ts'
import type { RegistryPorts } from './ports.ts'
import type { PublicationReader } from './publication-store.ts'
import type { PublishedLog } from './published-log.ts'

/** Most recorded anchors that one round looks for on the ledger, one by one. */
const mostLooks = 16

/** How long an anchor that was lost is looked for: nodes that fall behind keep up again, and a chain may change its mind. */
const lookForLostMs = 24 * 60 * 60 * 1000

export interface AnchorParts extends Pick<RegistryPorts, 'now'> {
  readonly publications: PublicationReader
  readonly published: PublishedLog
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
  await takeBackAnchors(ledger, held, parts)
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
async function forgetLostAnchors(ledger: Ledger, held: AnchoredHead | null, parts: AnchorParts): Promise<void> {
  const { anchors, now, onLost } = parts
  await anchors.markLost({ elsewhere: { chainId: ledger.chainId, contract: ledger.contract } }, now())
  let lost = await anchors.markLost({ largerThan: held?.size ?? 0 }, now())
  for (let look = 1; ; look++) {
    const newest = await anchors.newest()
    if (newest === null) break
    const found = await ledger.confirm(newest.transaction)
    if (found?.size === newest.size) {
      if (found.blockNumber !== newest.blockNumber) await anchors.insert(found)
      break
    }
    // One that is gone says nothing of those before it, but a fresh chain that was anchored anew holds none of many.
    lost += await anchors.markLost({ largerThan: look < mostLooks ? newest.size - 1 : 0 }, now())
  }
  if (lost > 0) onLost(lost)
}

/** A node that has fallen behind shows less than the ledger holds; what it left out is taken back when it is seen again. */
async function takeBackAnchors(
  ledger: Ledger,
  held: AnchoredHead | null,
  { anchors, now }: AnchorParts,
): Promise<void> {
  if (held === null) return
  const { chainId, contract } = ledger
  const since = new Date(now().getTime() - lookForLostMs)
  for (const lost of await anchors.listLost({ chainId, contract, largestSize: held.size, since }, mostLooks)) {
    const found = await ledger.confirm(lost.transaction)
    if (found?.size === lost.size && (await anchors.ofSize(found.size)) === null) await anchors.insert(found)
  }
}

/** What the ledger holds must be a tree of our log; an anchor that we did not get to record is recorded now. */
async function requireOwnHead(
  ledger: Ledger,
  held: AnchoredHead | null,
  { publications, published, anchors }: AnchorParts,
): Promise<void> {
  if (held === null) return
  const known = await anchors.ofSize(held.size)
  const root = known?.root ?? (await rootOf(held.size, published))
  if (root === null || !equalBytes(root, held.root)) {
    throw new Problem('anchor-mismatch', { detail: `The ledger holds a log of ${held.size} entries that is not ours` })
  }
  // Of one from before a long outage the note may be gone; then the next anchor, of more entries, stands for it.
  if (known !== null || (await publications.ofSize(held.size)) === null) return
  const record = await ledger.find(held.size)
  if (record !== null) await anchors.insert(record)
}

/** From the tiles, which last longer than notes; null beyond what is published. */
async function rootOf(size: number, { reaches, prover }: PublishedLog): Promise<Uint8Array | null> {
  return (await reaches(size)) ? prover.root(size) : null
}

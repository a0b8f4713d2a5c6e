import { type FetchCity, fsckCity } from '@tillit/client'
import { toHex } from '@tillit/codec'
import { readAnchors } from '@tillit/ledger/read'
import { type TrustPolicy, verifyReceipt, verifyWithPolicy } from '@tillit/log'
import type { AnchorList, LeafProof, LedgerStatus, Opening } from '@tillit/schemas'
import { expect } from 'vitest'
import { entriesOf, rootOf } from './merkle-check.ts'

const tileWidth = 256
const maxBytes = 4 * 1024 * 1024

/** Someone outside who believes nothing: keeps every checkpoint that was ever shown, and holds the log to all of them. */
export interface LogObserver {
  /** How large the published log was seen to be. */
  readonly largestSize: number
  /**
   * A checkpoint that the log has published. Throws when it lacks the quorum, or is smaller than `atLeast`: what had been
   * seen before it was asked for.
   */
  seePublished(note: string, options: { atLeast: number }): void
  /** A checkpoint that the log signed and showed to a witness. */
  seeSigned(note: string): void
  /**
   * Reads the whole log, its proofs and its anchors, and compares them with everything that was seen and with the
   * commitments that were acknowledged. `openings`: entries whose receipts must verify.
   */
  check(log: {
    fetchCity: FetchCity
    acknowledged: ReadonlySet<string>
    openings: readonly Opening[]
    rpcUrl: string | null
  }): Promise<{ size: number; checkpoints: number; anchors: number }>
}

/** `policy` names the log's key and the witnesses, as the observer was told them before anything went wrong. */
export function createLogObserver({ policy, vkey }: { policy: TrustPolicy; vkey: string }): LogObserver {
  /** Roots by size. */
  const published = new Map<number, string>()
  const signed = new Map<number, string>()
  let known: readonly string[] = []
  const noQuorum: TrustPolicy = { ...policy, quorum: 'none' }

  function see(note: string, by: TrustPolicy, seen: Map<number, string>): number {
    const { size, root } = verifyWithPolicy(note, by).checkpoint
    const before = seen.get(size)
    if (before !== undefined && before !== toHex(root)) throw new Error(`two roots of one size: ${size}`)
    seen.set(size, toHex(root))
    return size
  }

  return {
    get largestSize() {
      return Math.max(0, ...published.keys())
    },
    seePublished(note, { atLeast }) {
      const size = see(note, policy, published)
      if (size < atLeast) throw new Error(`a log of ${atLeast} entries was published, and now one of ${size}`)
    },
    seeSigned: (note) => void see(note, noQuorum, signed),
    async check({ fetchCity, acknowledged, openings, rpcUrl }) {
      const get = async (path: string) => {
        const { status, body } = await fetchCity(path, { maxBytes })
        if (status !== 200) throw new Error(`${path} answered ${status}: ${new TextDecoder().decode(body)}`)
        return body
      }
      const json = async <T>(path: string) => JSON.parse(new TextDecoder().decode(await get(path))) as T
      const atLeast = this.largestSize
      const note = new TextDecoder().decode(await get('/log/checkpoint'))
      this.seePublished(note, { atLeast })
      const { size } = verifyWithPolicy(note, policy).checkpoint
      const entries = await readEntries(size, get)
      const texts = entries.map(toHex)

      // Nothing that was in the log has gone or changed, and whatever was signed or published is a beginning of it.
      expect(texts.slice(0, known.length)).toEqual(known)
      known = texts
      for (const [at, root] of [...published, ...signed].filter(([at]) => at <= size))
        expect({ at, root }).toEqual({ at, root: rootOf(entries, at) })
      // Each acknowledged entry is there once, and nothing is there that nobody handed in twice.
      const commitments = texts.map((text) => text.slice(0, 64))
      expect(new Set(commitments).size).toBe(commitments.length)
      expect([...acknowledged].filter((commitment) => !commitments.includes(commitment))).toEqual([])

      for (const opening of openings) {
        const leaf = await json<LeafProof>(`/log/leaves/${opening.commitment}/proof`)
        const receipt = { type: 'tillit-receipt/v1', city: 'http://localhost:8080', opening, leaf } as const
        verifyReceipt(receipt, { vkey, policy })
      }
      const anchors = await checkAnchors(entries, { json, rpcUrl })
      const report = await fsckCity({
        fetchCity,
        policy,
        vkey,
        ...(anchors.ledger === null ? {} : { ledger: anchors.ledger }),
        now: () => new Date(),
        settleMilliseconds: 50,
      })
      // Those of before a change of the policy or the keys are under those of then.
      expect(report.findings.filter(({ code }) => code !== 'checkpoint-not-covered')).toEqual([])
      expect(report.counts.checkpoints).toBeGreaterThan(0)
      expect(report).toMatchObject({ sound: true, size })
      return { size, checkpoints: published.size, anchors: anchors.count }
    },
  }
}

async function readEntries(size: number, get: (path: string) => Promise<Uint8Array>): Promise<Uint8Array[]> {
  const entries: Uint8Array[] = []
  while (entries.length < size) {
    const bundle = entries.length / tileWidth
    const width = Math.min(tileWidth, size - entries.length)
    // Bundles beyond the thousandth would need more digits; no test comes near.
    const path = `${String(bundle).padStart(3, '0')}${width === tileWidth ? '' : `.p/${width}`}`
    const found = entriesOf(await get(`/log/tile/entries/${path}`))
    expect(found.length).toBe(width)
    entries.push(...found)
  }
  return entries
}

/** What the city names and what the ledger holds are the same anchors, all of them of beginnings of the log. */
async function checkAnchors(
  entries: readonly Uint8Array[],
  { json, rpcUrl }: { json: <T>(path: string) => Promise<T>; rpcUrl: string | null },
) {
  if (rpcUrl === null) return { count: 0, ledger: null }
  const { contract } = await json<LedgerStatus>('/registry/ledger')
  if (contract === null) return { count: 0, ledger: null }
  const { anchors } = await json<AnchorList>('/registry/anchors?limit=500')
  const held = await readAnchors({ rpcUrl, contract })
  for (const { size, root } of held) expect({ size, root: toHex(root) }).toEqual({ size, root: rootOf(entries, size) })
  const byTransaction = new Map(held.map((anchor) => [anchor.transaction, anchor]))
  for (const { size, root, transaction } of anchors)
    expect({ size, root }).toEqual({ size, root: toHex(byTransaction.get(transaction)?.root ?? new Uint8Array()) })
  const ledger = { contract, readAnchors: () => readAnchors({ rpcUrl, contract }) }
  return { count: anchors.length, ledger }
}

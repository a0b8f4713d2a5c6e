import { fromHex, parseJson } from '@tillit/codec'
import { Problem } from '@tillit/problem'

/** What `/registry/ledger` says, as far as a monitor goes by it. */
export interface LedgerStatus {
  readonly signedSize: number
  readonly publishingFault: string | null
  /** Milliseconds. */
  readonly unanchoredSince: number | null
  readonly lastAnchor: { readonly size: number; readonly root: Uint8Array } | null
}

/** Throws Problem invalid-request when what a monitor goes by is not there. */
export function parseLedgerStatus(text: string): LedgerStatus {
  const value = parseJson(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformedStatus()
  const { signed_size: signedSize, publishing_fault: publishingFault, unanchored, last_anchor: lastAnchor } = value
  if (typeof signedSize !== 'number') throw malformedStatus()
  return {
    signedSize,
    publishingFault: typeof publishingFault === 'string' ? publishingFault : null,
    unanchoredSince: unanchored === null || unanchored === undefined ? null : timeOf(unanchored),
    lastAnchor: lastAnchor === null || lastAnchor === undefined ? null : headOf(lastAnchor),
  }
}

function timeOf(value: unknown): number {
  const { since } = typeof value === 'object' && value !== null ? (value as { since?: unknown }) : {}
  const time = typeof since === 'string' ? Date.parse(since) : Number.NaN
  if (Number.isNaN(time)) throw malformedStatus()
  return time
}

function headOf(value: unknown): { size: number; root: Uint8Array } {
  const { size, root } = value as { size?: unknown; root?: unknown }
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0 || typeof root !== 'string')
    throw malformedStatus()
  return { size, root: fromHex(root) }
}

function malformedStatus(): Problem {
  return new Problem('invalid-request', { detail: 'What the city says of its ledger is malformed' })
}

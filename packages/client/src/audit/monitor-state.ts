import { parseTrustPolicy } from '@tillit/log'
import { Problem } from '@tillit/problem'

/** What is wrong with a log that is being followed. */
export type AlertCode =
  | 'unreachable'
  | 'forked'
  | 'shrunk'
  | 'tiles-differ'
  | 'checkpoint-invalid'
  | 'quorum-lost'
  | 'keys-changed'
  | 'publishing-stopped'
  | 'stale'
  | 'unanchored'
  | 'anchor-differs'
  | 'malformed'

/** What a monitor remembers between two looks: plain JSON. */
export interface MonitorState {
  readonly version: 1
  /** The note of the last head that verified; nothing before the first. */
  readonly note: string | null
  /** The policy that the log published when it was first seen; null when the auditor's own counts. */
  readonly policy: string | null
  /** When the log was first seen to hold entries back, in milliseconds; null: it holds none back. */
  readonly heldBackSince: number | null
  /** The head of the ledger that is smaller than the log's, and since when it was seen, in milliseconds; null: it has it all. */
  readonly ledger: { readonly size: number; readonly since: number } | null
  /** What was wrong at the last look, and since when. */
  readonly alerts: readonly { readonly code: AlertCode; readonly what: string; readonly since: number }[]
}

export const firstMonitorState: MonitorState = {
  version: 1,
  note: null,
  policy: null,
  heldBackSince: null,
  ledger: null,
  alerts: [],
}

/**
 * Reads a remembered state. Throws Problem invalid-request for anything else: a monitor that forgot what it saw would take a
 * fork for the first look.
 */
export function parseMonitorState(value: unknown): MonitorState {
  if (!isObject(value) || value.version !== 1) throw damaged('it is not of this version')
  const { note, policy, heldBackSince, ledger = null, alerts } = value
  if (!isTextOrNull(note) || !isTextOrNull(policy)) throw damaged('a text is missing')
  if (heldBackSince !== null && typeof heldBackSince !== 'number') throw damaged('a time is missing')
  if (!Array.isArray(alerts)) throw damaged('it has no alerts')
  if (policy !== null) parseTrustPolicy(policy)
  return { version: 1, note, policy, heldBackSince, ledger: ledgerOf(ledger), alerts: alerts.map(alertOf) }
}

function ledgerOf(value: unknown): MonitorState['ledger'] {
  if (value === null) return null
  const { size, since } = isObject(value) ? value : {}
  if (typeof size !== 'number' || typeof since !== 'number') throw damaged('what the ledger held is malformed')
  return { size, since }
}

const alertCodes: readonly AlertCode[] = [
  ...(['unreachable', 'forked', 'shrunk', 'tiles-differ', 'checkpoint-invalid', 'quorum-lost'] as const),
  ...(['keys-changed', 'publishing-stopped', 'stale', 'unanchored', 'anchor-differs', 'malformed'] as const),
]

function alertOf(value: unknown): MonitorState['alerts'][number] {
  const { code, what, since } = isObject(value) ? value : {}
  const known = alertCodes.find((one) => one === code)
  if (known === undefined || typeof what !== 'string' || typeof since !== 'number')
    throw damaged('an alert is malformed')
  return { code: known, what, since }
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === 'string'
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function damaged(detail: string): Problem {
  return new Problem('invalid-request', { detail: `The monitor's state is damaged: ${detail}` })
}

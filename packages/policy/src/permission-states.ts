import { Problem } from '@tillit/problem'
import type { PermissionState, SuspensionReason } from '@tillit/schemas'

export type PermissionEventName =
  | 'validated'
  | 'found-malformed'
  | 'sent'
  | 'send-failed'
  | 'retried'
  | 'co-approval-needed'
  | 'accepted'
  | 'rejected'
  | 'timed-out'
  | 'found-invalid'
  | 'waits-for-start'
  | 'started'
  | 'narrowed'
  | 'suspended'
  | 'lifted'
  | 'revoked'
  | 'terminated'
  | 'fulfilled'
  | 'expired'
  | 'invalidated'
  | 'superseded'
  | 'found-unfulfillable'

type Row = Partial<Record<PermissionEventName, PermissionState>>

const ends: Row = {
  revoked: 'REVOKED',
  terminated: 'TERMINATED',
  fulfilled: 'FULFILLED',
  expired: 'EXPIRED',
  invalidated: 'INVALIDATED',
  superseded: 'SUPERSEDED',
  'found-unfulfillable': 'UNFULFILLABLE',
}
const none: Row = {}

/** The whole machine. A state without a row entry for an event refuses it; terminal states have empty rows. */
const table: Record<PermissionState, Row> = {
  CREATED: { validated: 'VALIDATED', 'found-malformed': 'MALFORMED' },
  VALIDATED: {
    sent: 'SENT_TO_PERMISSION_ADMINISTRATOR',
    'send-failed': 'UNABLE_TO_SEND',
    terminated: 'TERMINATED',
  },
  UNABLE_TO_SEND: { retried: 'VALIDATED', terminated: 'TERMINATED', 'timed-out': 'TIMED_OUT' },
  SENT_TO_PERMISSION_ADMINISTRATOR: {
    'co-approval-needed': 'AWAITING_CO_APPROVAL',
    accepted: 'ACCEPTED',
    rejected: 'REJECTED',
    'timed-out': 'TIMED_OUT',
    'found-invalid': 'INVALID',
    terminated: 'TERMINATED',
  },
  AWAITING_CO_APPROVAL: {
    accepted: 'ACCEPTED',
    rejected: 'REJECTED',
    'timed-out': 'TIMED_OUT',
    revoked: 'REVOKED',
    terminated: 'TERMINATED',
  },
  ACCEPTED: {
    'waits-for-start': 'WAITING_FOR_START',
    started: 'ACTIVE',
    suspended: 'SUSPENDED',
    narrowed: 'ACCEPTED',
    ...ends,
  },
  WAITING_FOR_START: { started: 'ACTIVE', suspended: 'SUSPENDED', narrowed: 'WAITING_FOR_START', ...ends },
  ACTIVE: { suspended: 'SUSPENDED', narrowed: 'ACTIVE', ...ends },
  // `lifted` leaves this state only when no reason is left: see suspend and lift.
  SUSPENDED: { suspended: 'SUSPENDED', lifted: 'SUSPENDED', narrowed: 'SUSPENDED', ...ends },
  MALFORMED: none,
  REJECTED: none,
  TIMED_OUT: none,
  INVALID: none,
  REVOKED: none,
  TERMINATED: none,
  FULFILLED: none,
  EXPIRED: none,
  INVALIDATED: none,
  SUPERSEDED: none,
  UNFULFILLABLE: none,
}

/** One reason of a suspension and who set it (a DID, customer id or `operator`): only they may lift it. */
export interface Suspension {
  reason: SuspensionReason
  by: string
}

/** What a suspension needs to know. `resumesTo` is the state in which the permission was before the first suspension. */
export interface TransitionContext {
  suspensions: readonly Suspension[]
  resumesTo: PermissionState | null
}

/**
 * The state that follows. Throws Problem invalid-transition. For `lifted`, `context` holds what is left of the set: when it
 * is empty the permission goes back to `resumesTo`.
 */
export function nextPermissionState(
  state: PermissionState,
  event: PermissionEventName,
  context: TransitionContext = { suspensions: [], resumesTo: null },
): PermissionState {
  const next = table[state][event]
  if (next === undefined) {
    throw new Problem('invalid-transition', {
      detail: `A permission in state ${state} does not take the event "${event}"`,
    })
  }
  if (event === 'lifted' && context.suspensions.length === 0) {
    if (context.resumesTo === null || table[context.resumesTo].suspended === undefined)
      throw new Problem('invalid-transition', { detail: 'It is not known where the suspended permission goes back to' })
    return context.resumesTo
  }
  return next
}

/** Adds a reason to the set; the same reason by the same one stands once. */
export function suspend(set: readonly Suspension[], added: Suspension): Suspension[] {
  return [...set.filter((one) => !sameSuspension(one, added)), added]
}

/** Takes a reason out of the set. Throws Problem invalid-transition when this one did not set it. */
export function lift(set: readonly Suspension[], lifted: Suspension): Suspension[] {
  const left = set.filter((one) => !sameSuspension(one, lifted))
  if (left.length === set.length)
    throw new Problem('invalid-transition', { detail: 'A suspension is lifted by whoever set it' })
  return left
}

export function isTerminal(state: PermissionState): boolean {
  return Object.keys(table[state]).length === 0
}

/** Whether the customer has accepted and nothing has ended it. Data flows in ACTIVE only. */
export function isAccepted(state: PermissionState): boolean {
  return table[state].narrowed !== undefined
}

/** Our state as EDDIE's PermissionProcessStatus (one way). */
export function eddieStatus(state: PermissionState): string {
  switch (state) {
    case 'AWAITING_CO_APPROVAL':
      return 'SENT_TO_PERMISSION_ADMINISTRATOR'
    case 'WAITING_FOR_START':
    case 'ACTIVE':
    case 'SUSPENDED':
      return 'ACCEPTED'
    case 'EXPIRED':
    case 'SUPERSEDED':
      return 'FULFILLED'
    case 'INVALIDATED':
      return 'REVOKED'
    default:
      return state
  }
}

function sameSuspension(a: Suspension, b: Suspension): boolean {
  return a.reason === b.reason && a.by === b.by
}

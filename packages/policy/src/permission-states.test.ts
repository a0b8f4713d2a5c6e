import { PermissionState } from '@tillit/schemas'
import { expect, test } from 'vitest'
import {
  eddieStatus,
  isAccepted,
  isTerminal,
  lift,
  nextPermissionState,
  type PermissionEventName,
  suspend,
} from './permission-states.ts'

const states: readonly PermissionState[] = PermissionState.enum

test('a request goes all the way from created to revoked', () => {
  const events: PermissionEventName[] = ['validated', 'sent', 'accepted', 'waits-for-start', 'started', 'revoked']
  let state: PermissionState = 'CREATED'
  const seen = events.map((event) => {
    state = nextPermissionState(state, event)
    return state
  })
  expect(seen).toEqual([
    'VALIDATED',
    'SENT_TO_PERMISSION_ADMINISTRATOR',
    'ACCEPTED',
    'WAITING_FOR_START',
    'ACTIVE',
    'REVOKED',
  ])
})

test('the terminal states are exactly those of the domain', () => {
  expect(states.filter(isTerminal)).toEqual([
    'MALFORMED',
    'REJECTED',
    'TIMED_OUT',
    'INVALID',
    'REVOKED',
    'TERMINATED',
    'FULFILLED',
    'EXPIRED',
    'INVALIDATED',
    'SUPERSEDED',
    'UNFULFILLABLE',
  ])
})

test('every accepted state can end in every way, and no other state but co-approval can be revoked', () => {
  for (const state of states) {
    if (isAccepted(state)) expect(nextPermissionState(state, 'invalidated')).toBe('INVALIDATED')
    else if (state === 'AWAITING_CO_APPROVAL') expect(nextPermissionState(state, 'revoked')).toBe('REVOKED')
    else
      expect(() => nextPermissionState(state, 'revoked')).toThrow(
        expect.objectContaining({ code: 'invalid-transition' }),
      )
  }
})

test('a suspension ends when each reason was lifted by whoever set it', () => {
  const pause = { reason: 'CUSTOMER_PAUSE' as const, by: 'cust_1' }
  const incident = { reason: 'INCIDENT' as const, by: 'operator' }
  const set = suspend(suspend(suspend([], pause), incident), pause)
  expect(set).toHaveLength(2)
  expect(() => lift(set, { ...incident, by: 'cust_1' })).toThrow(
    expect.objectContaining({ code: 'invalid-transition' }),
  )
  const left = lift(set, incident)
  expect(nextPermissionState('SUSPENDED', 'lifted', { suspensions: left, resumesTo: 'ACTIVE' })).toBe('SUSPENDED')
  const nothing = lift(left, pause)
  expect(nextPermissionState('SUSPENDED', 'lifted', { suspensions: nothing, resumesTo: 'ACTIVE' })).toBe('ACTIVE')
  expect(() => nextPermissionState('SUSPENDED', 'lifted', { suspensions: nothing, resumesTo: 'REVOKED' })).toThrow()
})

test('EDDIE sees its own states only', () => {
  expect(new Set(states.map(eddieStatus))).toEqual(
    new Set([
      'CREATED',
      'VALIDATED',
      'MALFORMED',
      'UNABLE_TO_SEND',
      'SENT_TO_PERMISSION_ADMINISTRATOR',
      'ACCEPTED',
      'REJECTED',
      'TIMED_OUT',
      'INVALID',
      'REVOKED',
      'TERMINATED',
      'FULFILLED',
      'UNFULFILLABLE',
    ]),
  )
})

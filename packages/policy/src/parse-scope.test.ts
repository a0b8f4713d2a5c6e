import { expect, test } from 'vitest'
import { baseScope } from './base-scope.fixture.ts'
import { describeScope } from './describe-scope.ts'
import { parseScope } from './parse-scope.ts'
import { checkPurposeLimits } from './purpose-limits.ts'

test.each<[string, object, string, string]>([
  ['an unknown member', { admin: true }, 'invalid-scope', '/admin'],
  ['no action', { actions: [] }, 'invalid-scope', '/actions'],
  [
    'a purpose that is not in the catalogue',
    { purpose: [{ code: 'spying', required: true }] },
    'unknown-purpose',
    '/purpose/0/code',
  ],
  ['a wrong check digit', { resources: ['gsrn:707057500000000002'] }, 'invalid-gsrn', '/resources/0'],
  ['sixty minutes', { finest_granularity: 'PT60M' }, 'invalid-granularity', '/finest_granularity'],
  ['30 February', { expires: '2026-02-30T00:00:00Z' }, 'invalid-scope', '/expires'],
  [
    'a period that is empty',
    { period: { from: baseScope.period.to, to: baseScope.period.to } },
    'invalid-scope',
    '/period',
  ],
  ['a retention of hours', { delete_after: 'PT24H' }, 'invalid-scope', '/delete_after'],
])('a scope with %s is refused', (_name, change, code, pointer) => {
  expect(() => parseScope({ ...baseScope, ...change }, { pointer: '/scope' })).toThrow(
    expect.objectContaining({ code, pointer: `/scope${pointer}` }),
  )
})

test('purposes that another one includes are left out, and instants are written in UTC', () => {
  const parsed = parseScope({
    ...baseScope,
    expires: '2027-01-01T01:00:00+01:00',
    delete_after: 'P12M',
    purpose: [
      { code: 'energy-advice', required: false },
      { code: 'energy-reporting', required: true },
    ],
  })
  expect(parsed).toMatchObject({
    expires: '2027-01-01T00:00:00Z',
    delete_after: 'P1Y',
    purpose: [{ code: 'energy-reporting', required: true }],
  })
})

const now = new Date('2026-03-01T12:00:00Z')
test.each<[string, object, string]>([
  ['finer than the tier', { finest_granularity: 'PT5M' }, '/finest_granularity'],
  ['delivered as it happens without an ePrivacy basis', { delivery: ['stream'] }, '/eprivacy_basis'],
  ['delivered as it happens', { delivery: ['stream'], eprivacy_basis: 'consent' }, '/delivery'],
  ['on another legal basis', { legal_basis: 'eu-gdpr:A6-1-f' }, '/legal_basis'],
  ['kept longer', { delete_after: 'P1M' }, '/delete_after'],
  ['lasting longer', { expires: '2027-03-01T12:00:01Z' }, '/expires'],
  ['identified for research', { purpose: [{ code: 'research', required: true }] }, '/subject_form'],
])('a scope %s exceeds its purpose', (_name, change, pointer) => {
  expect(() => checkPurposeLimits(parseScope({ ...baseScope, ...change }), { now })).toThrow(
    expect.objectContaining({ code: 'scope-exceeds-purpose', pointer }),
  )
})

test('a scope at the limits of its purpose is within them', () => {
  checkPurposeLimits({ ...baseScope, expires: '2027-03-01T12:00:00Z', finest_granularity: 'PT15M' }, { now })
})

test('a scope reads as plain words in three languages', () => {
  const daily = { ...baseScope, finest_granularity: 'P1D' }
  expect(describeScope(daily, 'en', { timeZone: 'Europe/Oslo' })).toEqual({
    tier: 'T2',
    what: 'Electricity, what you use',
    detail: 'days away, seasons',
    resolution: 'one value per day',
    period: '1 January 2025 – 1 January 2027',
    until: '1 January 2027',
    deletedAfter: 'deleted 30 days after the end',
    purposes: [
      {
        code: 'energy-advice',
        title: 'Energy advice',
        description: 'To advise you how to use less energy.',
        required: true,
      },
    ],
    passedOn: 'not passed on',
  })
  expect(describeScope({ ...baseScope, finest_granularity: 'PT15M' }, 'nb').resolution).toBe('én verdi per 15 minutter')
  expect(describeScope(baseScope, 'da')).toMatchObject({
    resolution: 'én værdi per time',
    deletedAfter: 'slettes 30 dage efter tilladelsens udløb',
  })
})

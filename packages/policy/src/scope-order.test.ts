import { describe, expect, test } from 'vitest'
import { baseScope } from './base-scope.fixture.ts'
import { orderProperties } from './order-properties.fixture.ts'
import { explainWithin, meet, scopeWithin } from './scope-order.ts'

describe('the order of scopes, 1,000 cases a law', () => orderProperties(1000))

test('twenty minutes are not within a quarter of an hour, half an hour is', () => {
  const quarter = { ...baseScope, finest_granularity: 'PT15M' }
  expect(scopeWithin({ ...baseScope, finest_granularity: 'PT20M' }, quarter)).toBe(false)
  expect(scopeWithin({ ...baseScope, finest_granularity: 'PT30M' }, quarter)).toBe(true)
})

test('weeks and months have nothing in common', () => {
  expect(meet({ ...baseScope, finest_granularity: 'P7D' }, { ...baseScope, finest_granularity: 'P1M' })).toBeNull()
})

test('advice is within reporting, and reporting is not within advice', () => {
  const reporting = { ...baseScope, purpose: [{ code: 'energy-reporting', required: true }] }
  expect([scopeWithin(baseScope, reporting), scopeWithin(reporting, baseScope)]).toEqual([true, false])
})

test('dropping a duty is wider, adding one is narrower', () => {
  const bound = { ...baseScope, duties: ['no-profiling'] }
  expect([scopeWithin(bound, baseScope), scopeWithin(baseScope, bound)]).toEqual([true, false])
})

test('an excess names the axis, what was asked and what is allowed, in words', () => {
  expect(explainWithin({ ...baseScope, delete_after: 'P1Y' }, baseScope)).toEqual([
    {
      axis: 'delete_after',
      asked: 'P1Y',
      allowed: 'P30D',
      words: 'It keeps the data longer: P1Y, where P30D is allowed',
    },
  ])
})

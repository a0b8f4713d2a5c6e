import type { Scope } from '@tillit/schemas'
import fc from 'fast-check'
import { baseScope } from './base-scope.fixture.ts'
import { parseScope } from './parse-scope.ts'

/** Small domains on every axis, so that two random scopes are often related and still differ everywhere. */
export const granularities = ['PT1S', 'PT10M', 'PT15M', 'PT20M', 'PT1H', 'PT1H30M', 'P1D', 'P7D', 'P14D', 'P1M', 'P1Y']
export const lives = ['P0D', 'P28D', 'P29D', 'P30D', 'P31D', 'P59D', 'P1M', 'P2M', 'P365D', 'P366D', 'P1Y', 'P4Y']
export const purposeCodes = ['energy-reporting', 'energy-advice', 'efficiency-verification', 'billing', 'research']
export const resources = ['gsrn:707057500000000001', 'gsrn:707057500000000018', 'gsrn:707057500000000025']
export const months = [0, 1, 2, 3, 4].map((month) => new Date(Date.UTC(2025, month, 1)).toISOString())

const some = <T>(values: readonly T[], minLength = 1) => fc.subarray([...values], { minLength })

const period = fc
  .tuple(fc.nat(3), fc.integer({ min: 1, max: 4 }))
  .map(([first, length]) => ({ from: months[first] ?? '', to: months[Math.min(first + length, 4)] ?? '' }))

const purpose = fc.array(fc.record({ code: fc.constantFrom(...purposeCodes), required: fc.boolean() }), {
  minLength: 1,
  maxLength: 4,
})

/** Any scope, in canonical form. */
export const scope: fc.Arbitrary<Scope> = fc
  .record({
    actions: some(['read', 'stream'] as const),
    datatypes: some(['validated_history', 'accounting_point'] as const),
    resources: some(resources),
    products: some(['active_energy', 'voltage'] as const),
    directions: some(['consumption', 'production'] as const),
    period,
    finest_granularity: fc.constantFrom(...granularities),
    subject_form: fc.constantFrom('identified' as const, 'pseudonymous' as const, 'aggregate' as const),
    delivery: some(['pull', 'push'] as const),
    purpose,
    legal_basis: fc.constantFrom('eu-gdpr:A6-1-a', 'eu-gdpr:A6-1-a', 'eu-gdpr:A6-1-b'),
    eprivacy_basis: fc.constantFrom(null, null, 'consent' as const),
    expires: fc.constantFrom(...months),
    delete_after: fc.constantFrom(...lives),
    delegation: fc.record({ max_depth: fc.nat(3), recipients: some(['did:web:a.example', 'did:web:b.example'], 0) }),
    countries: some(['NO', 'DK']),
    duties: some(['notify', 'no-profiling'], 0),
    data_need: fc.constantFrom(null, 'need-1', 'need-2'),
  })
  .map((parts) => parseScope({ ...baseScope, ...parts }))

/** Pairs that differ on few axes: independent scopes are hardly ever within each other. */
export const nearScopes: fc.Arbitrary<[Scope, Scope, Scope]> = fc
  .tuple(
    scope,
    scope,
    scope,
    fc.array(fc.tuple(fc.constantFrom(0, 1, 2), fc.constantFrom(...keys())), { maxLength: 4 }),
  )
  .map(([a, b, c, changes]) => {
    const near: [Scope, Scope, Scope] = [{ ...a }, { ...a }, { ...a }]
    for (const [which, key] of changes) {
      const source = which === 0 ? b : c
      const target = near[which]
      Object.assign(target, { [key]: source[key] })
      if (key === 'duties' && source.duties === undefined) delete target.duties
    }
    return near
  })

function keys(): (keyof Scope)[] {
  return [...(Object.keys(baseScope) as (keyof Scope)[]).filter((key) => key !== 'type'), 'duties']
}

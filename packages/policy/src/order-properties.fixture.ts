import fc from 'fast-check'
import { expect, test } from 'vitest'
import { granularities, months, nearScopes, purposeCodes, resources, scope } from './arbitrary-scope.fixture.ts'
import { type Ask, covers } from './covers.ts'
import { parseGranularity } from './granularity.ts'
import { naiveWithin } from './naive-order.fixture.ts'
import { parseScope } from './parse-scope.ts'
import { prepareScope } from './prepare-scope.ts'
import { explainWithin, meet, scopeDigest, scopeWithin } from './scope-order.ts'

const ask: fc.Arbitrary<Ask> = fc
  .record({
    action: fc.constantFrom('read', 'stream'),
    datatype: fc.constantFrom('validated_history', 'accounting_point'),
    resource: fc.constantFrom(...resources),
    product: fc.constantFrom('active_energy', 'voltage'),
    direction: fc.constantFrom('consumption', 'production'),
    delivery: fc.constantFrom('pull', 'push'),
    purpose: fc.constantFrom(...purposeCodes),
    // Data goes somewhere: an ask that names no country is covered by scopes whose countries have none in common.
    countries: fc.subarray(['NO', 'DK'], { minLength: 1 }),
    first: fc.nat(3),
    length: fc.integer({ min: 1, max: 4 }),
    granularity: fc.constantFrom(...granularities).map((text) => parseGranularity(text)),
  })
  .map(({ first, length, ...rest }) => ({
    ...rest,
    from: Date.parse(months[first] ?? ''),
    to: Date.parse(months[Math.min(first + length, 4)] ?? ''),
  }))

/** The laws of the order, for as many cases as the caller has time for. */
export function orderProperties(numRuns: number): void {
  const holds = (property: fc.IProperty<never> | fc.IProperty<unknown>) =>
    fc.assert(property as fc.IProperty<unknown>, { numRuns })

  test('a scope is within itself', () => {
    holds(fc.property(scope, (a) => scopeWithin(a, a)))
  })
  test('two scopes that are within each other are the same', () => {
    holds(
      fc.property(nearScopes, ([a, b]) => {
        if (scopeWithin(a, b) && scopeWithin(b, a)) expect(a).toEqual(b)
      }),
    )
  })
  test('what is within a scope that is within another is within that other', () => {
    holds(
      fc.property(nearScopes, ([a, b, c]) => {
        const [ab, bc] = [meet(a, b), meet(b, c)]
        const abc = ab && meet(ab, c)
        if (scopeWithin(a, b) && scopeWithin(b, c)) expect(scopeWithin(a, c)).toBe(true)
        if (ab && abc)
          expect([scopeWithin(abc, ab), scopeWithin(ab, a), scopeWithin(abc, a)]).toEqual([true, true, true])
        if (bc && abc) expect(scopeWithin(abc, bc)).toBe(true)
      }),
    )
  })
  test('the meet is within both, and all that is within both is within it', () => {
    holds(
      fc.property(nearScopes, ([a, b, c]) => {
        const common = meet(a, b)
        if (common) expect([scopeWithin(common, a), scopeWithin(common, b)]).toEqual([true, true])
        if (scopeWithin(c, a) && scopeWithin(c, b)) expect(common !== null && scopeWithin(c, common)).toBe(true)
        const below = meet(c, a)
        const lower = below && meet(below, b)
        if (lower) expect(common !== null && scopeWithin(lower, common)).toBe(true)
      }),
    )
  })
  test('the meet does not depend on the order of the two, and is canonical', () => {
    holds(
      fc.property(nearScopes, ([a, b]) => {
        const common = meet(a, b)
        expect(common).toEqual(meet(b, a))
        if (common) expect(parseScope(common)).toEqual(common)
      }),
    )
  })
  test('the order agrees with a second, literal implementation', () => {
    holds(fc.property(nearScopes, ([a, b, c]) => [a, b, c].every((one) => scopeWithin(one, a) === naiveWithin(one, a))))
  })
  test('a scope is within another exactly when nothing exceeds it', () => {
    holds(fc.property(nearScopes, ([a, b]) => scopeWithin(a, b) === (explainWithin(a, b).length === 0)))
  })
  test('what a narrower scope covers, the wider one covers', () => {
    holds(
      fc.property(nearScopes, ask, ([a, b], q) => {
        const child = meet(a, b)
        if (child && covers(prepareScope(child), q)) expect(covers(prepareScope(a), q)).toBe(true)
      }),
    )
  })
  test('the meet covers exactly what both cover', () => {
    holds(
      fc.property(nearScopes, ask, ([a, other], q) => {
        // The legal bases are no part of a read, so they are the same here: otherwise the two have no meet at all.
        const b = { ...other, legal_basis: a.legal_basis, eprivacy_basis: a.eprivacy_basis }
        const common = meet(a, b)
        const byBoth = covers(prepareScope(a), q) && covers(prepareScope(b), q)
        expect(common !== null && covers(prepareScope(common), q)).toBe(byBoth)
      }),
    )
  })
  test('parsing is idempotent, and the digest does not depend on how a scope is written', () => {
    holds(
      fc.property(scope, (a) => {
        const written = {
          ...a,
          actions: a.actions.toReversed(),
          purpose: a.purpose.toReversed(),
          expires: a.expires.replace('Z', '+00:00'),
        }
        expect(parseScope(written)).toEqual(a)
        expect(scopeDigest(written)).toBe(scopeDigest(a))
      }),
    )
  })
}

import { isProblem } from '@tillit/problem'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { granularities, lives } from './arbitrary-scope.fixture.ts'
import { commonCoarsening, derivable, granularityTier, parseGranularity } from './granularity.ts'
import { commonLife, lifeText, lifeWithin, parseLife } from './life.ts'
import { naiveDerivable, naiveLifeWithin } from './naive-order.fixture.ts'

test.each(['PT60M', 'PT24H', 'PT90M', 'PT07M', 'PT0S', 'PT7M', 'PT5H', 'P1W', 'P01D', 'P2D', 'P12M', '1H', 'pt1h', ''])(
  '%s is no canonical granularity',
  (text) => {
    expect(() => parseGranularity(text)).toThrow(expect.objectContaining({ code: 'invalid-granularity' }))
  },
)

test.each([
  ['PT10S', 'T4'],
  ['PT10M', 'T4'],
  ['PT15M', 'T3'],
  ['PT1H', 'T3'],
  ['PT12H', 'T3'],
  ['P1D', 'T2'],
  ['P7D', 'T2'],
  ['P14D', 'T1'],
  ['P1M', 'T1'],
  ['P1Y', 'T1'],
])('%s is of tier %s', (text, tier) => {
  expect(granularityTier(parseGranularity(text))).toBe(tier)
})

test('derivability agrees with cutting the calendar into windows', () => {
  for (const a of granularities)
    for (const b of granularities)
      expect([a, b, derivable(parseGranularity(a), parseGranularity(b))]).toEqual([a, b, naiveDerivable(a, b)])
})

test('the common coarsening is derivable from both and from nothing coarser', () => {
  const parsed = [...granularities, 'PT30M', 'PT3H', 'PT4H', 'PT9H36M'].flatMap((text) => {
    try {
      return [parseGranularity(text)]
    } catch (error) {
      if (!isProblem(error, 'invalid-granularity')) throw error
      return []
    }
  })
  for (const a of parsed) {
    for (const b of parsed) {
      const common = commonCoarsening(a, b)
      const uppers = parsed.filter((one) => derivable(one, a) && derivable(one, b))
      if (common === null) expect(uppers).toEqual([])
      else {
        expect([derivable(common, a), derivable(common, b)]).toEqual([true, true])
        for (const upper of uppers) expect(derivable(upper, common)).toBe(true)
      }
    }
  }
})

test('lives compare as they do from every starting day', () => {
  const life = fc.oneof(
    fc.constantFrom(...lives),
    fc.nat(400).map((days) => `P${days}D`),
    fc.integer({ min: 1, max: 14 }).map((months) => lifeText(parseLife(`P${months}M`))),
  )
  fc.assert(
    fc.property(life, life, life, (a, b, c) => {
      const [x, y, z] = [parseLife(a), parseLife(b), parseLife(c)]
      expect(lifeWithin(x, y)).toBe(naiveLifeWithin(a, b))
      const common = commonLife(x, y)
      expect([lifeWithin(common, x), lifeWithin(common, y)]).toEqual([true, true])
      if (lifeWithin(z, x) && lifeWithin(z, y)) expect(lifeWithin(z, common)).toBe(true)
    }),
    { numRuns: 300 },
  )
})

test('twelve months are written as one year', () => {
  expect(lifeText(parseLife('P12M'))).toBe('P1Y')
  expect(lifeText(parseLife('P1Y6M'))).toBe('P1Y6M')
  expect(lifeText(parseLife('P2W'))).toBe('P14D')
})

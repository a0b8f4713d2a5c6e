import { expect, test } from 'vitest'
import { granularityOfDuration } from './stored-resolution.ts'

test.each([
  [900, 'PT15M'],
  [1800, 'PT30M'],
  [5400, 'PT1H30M'],
  [3000, null],
  [82_800, 'P1D'],
  [86_400, 'P1D'],
  [90_000, 'P1D'],
  [7 * 86_400 + 3600, 'P7D'],
  [14 * 86_400, 'P14D'],
  [28 * 86_400, 'P1M'],
  [31 * 86_400 + 3600, 'P1M'],
  [366 * 86_400, 'P1Y'],
])('an interval of %d seconds is %s', (seconds, granularity) => {
  expect(granularityOfDuration(seconds)).toBe(granularity)
})

import { CityError } from '@tillit/client'
import { expect, test } from 'vitest'
import { NoCity } from '../no-city.ts'
import { tryAgain } from './try-again.ts'

/** Throws these one after the other, then answers. */
function asking(errors: Error[]) {
  const waited: number[] = []
  let asked = 0
  const answer = tryAgain(
    async () => {
      const error = errors[asked++]
      if (error) throw error
      return 'issued'
    },
    async (milliseconds) => waited.push(milliseconds),
  )
  return { answer, waited, asked: () => asked }
}

test('a city that is away, overloaded or still at work is asked again, ever later', async () => {
  const { answer, waited } = asking([
    new NoCity('no answer'),
    new CityError(503, { code: 'database-unavailable' }),
    new CityError(429, { code: 'too-many-requests' }),
    new CityError(409, { code: 'conflict' }),
  ])
  expect(await answer).toBe('issued')
  expect(waited).toEqual([1_000, 2_000, 4_000, 8_000])
})

test.each([
  new CityError(403, { code: 'party-not-active' }),
  new CityError(409, { code: 'idempotency-conflict' }),
  new Error('a fault of ours'),
])('what asking again does not change is told at once (%#)', async (error) => {
  const { answer, asked } = asking([error])
  await expect(answer).rejects.toBe(error)
  expect(asked()).toBe(1)
})

test('a city that stays away is given up', async () => {
  const { answer, asked } = asking(Array.from({ length: 9 }, () => new NoCity('no answer')))
  await expect(answer).rejects.toThrow('no answer')
  expect(asked()).toBe(6)
})

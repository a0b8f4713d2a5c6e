import fc from 'fast-check'
import { expect, test } from 'vitest'
import { maxExamined, maxPageResults, searchPage } from './search-page.ts'

const name = (number: number) => String(number).padStart(5, '0')

/** Everything that the pages give, and how many candidates each page looked at. */
async function readAll(count: number, limit: number | undefined, isPermitted: (number: number) => boolean) {
  const names = Array.from({ length: count }, (_, i) => name(i))
  const found: string[] = []
  const examined: number[] = []
  let token: string | undefined
  do {
    let looked = 0
    const { ids, page } = await searchPage(
      { ...(limit === undefined ? {} : { limit }), ...(token === undefined ? {} : { token }) },
      {},
      {
        candidates: async (stretch) => names.filter((one) => one > stretch.after).slice(0, stretch.limit),
        permitted: async (ids) => {
          looked += ids.length
          return new Set(ids.filter((id) => isPermitted(Number(id))))
        },
      },
    )
    expect(ids.length).toBeLessThanOrEqual(Math.min(limit ?? maxPageResults, maxPageResults))
    expect(page.count).toBe(ids.length)
    found.push(...ids)
    examined.push(looked)
    token = page.next_token
  } while (token !== '')
  return { found, examined, permitted: names.filter((one) => isPermitted(Number(one))) }
}

test('the pages together give what is permitted, in order and once', async () => {
  const limit = fc.option(fc.integer({ min: 1, max: 300 }), { nil: undefined })
  await fc.assert(
    fc.asyncProperty(fc.nat(400), limit, fc.integer({ min: 1, max: 7 }), async (count, most, step) => {
      const { found, permitted } = await readAll(count, most, (number) => number % step === 0)
      expect(found).toEqual(permitted)
    }),
  )
})

test('a page ends after so many candidates, though none of them was permitted', async () => {
  const { found, examined } = await readAll(2 * maxExamined + 1, 1, (number) => number === 2 * maxExamined)
  expect(found).toEqual([name(2 * maxExamined)])
  expect(examined).toEqual([maxExamined, maxExamined, 1])
})

import { expect, test } from 'vitest'
import { createGroupCommit } from './group-commit.ts'

const limits = { maxGroup: 3, maxWaiting: 100, spoiledByOne: () => false }

test('what comes while a group is written is written together afterwards', async () => {
  const groups: number[][] = []
  const gate = Promise.withResolvers<void>()
  const handIn = createGroupCommit(
    async (items: readonly number[]) => {
      groups.push([...items])
      if (groups.length === 1) await gate.promise
      return items.map((item) => item * 10)
    },
    { ...limits, maxGroup: 4 },
  )
  const first = handIn(1)
  await Promise.resolve()
  await Promise.resolve()
  const others = [2, 3, 4, 5, 6].map(handIn)
  gate.resolve()
  expect(await Promise.all([first, ...others])).toEqual([10, 20, 30, 40, 50, 60])
  expect(groups).toEqual([[1], [2, 3, 4, 5], [6]])
})

test('a write that fails fails for everyone in it, and the next one goes on', async () => {
  let works = false
  const handIn = createGroupCommit(async (items: readonly number[]) => {
    if (!works) throw new Error('no room')
    return items
  }, limits)
  const outcomes = await Promise.allSettled([1, 2, 3].map(handIn))
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
  works = true
  expect(await handIn(4)).toBe(4)
})

test('one that spoils its group fails alone', async () => {
  const handIn = createGroupCommit(
    async (items: readonly number[]) => {
      if (items.includes(3)) throw new RangeError('three')
      return items
    },
    { ...limits, maxGroup: 8, spoiledByOne: (error) => error instanceof RangeError },
  )
  const outcomes = await Promise.allSettled([1, 2, 3, 4, 5].map(handIn))
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
})

test('when too much waits the next one is told so', async () => {
  const gate = Promise.withResolvers<void>()
  const handIn = createGroupCommit(
    async (items: readonly number[]) => {
      await gate.promise
      return items
    },
    { ...limits, maxWaiting: 2 },
  )
  const waiting = [1, 2].map(handIn)
  expect(() => handIn(3)).toThrowError(/too many/i)
  gate.resolve()
  expect(await Promise.all(waiting)).toEqual([1, 2])
})

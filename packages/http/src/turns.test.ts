import { expect, test } from 'vitest'
import { createTurns } from './turns.ts'

test('one caller takes its share and waits for the rest, another one does not wait for it', async () => {
  const take = createTurns({ atOnce: 2, waiting: 1 })
  const ends: (() => void)[] = []
  const begun: string[] = []
  const work = (name: string) => () => {
    begun.push(name)
    return new Promise<string>((resolve) => ends.push(() => resolve(name)))
  }
  const results = ['a1', 'a2', 'a3'].map((name) => take('a', work(name)))
  await expect(take('a', work('a4'))).rejects.toMatchObject({ code: 'too-many-requests' })
  const other = take('b', work('b1'))
  expect(begun).toEqual(['a1', 'a2', 'b1'])
  ends[0]?.()
  expect(await results[0]).toBe('a1')
  expect(begun).toEqual(['a1', 'a2', 'b1', 'a3'])
  for (const end of ends) end()
  expect(await Promise.all([...results, other])).toEqual(['a1', 'a2', 'a3', 'b1'])
})

test('work that fails gives its turn on', async () => {
  const take = createTurns({ atOnce: 1, waiting: 1 })
  const failing = take('a', () => Promise.reject(new Error('broken')))
  const next = take('a', async () => 'next')
  await expect(failing).rejects.toThrow('broken')
  expect(await next).toBe('next')
  expect(await take('a', async () => 'later')).toBe('later')
})

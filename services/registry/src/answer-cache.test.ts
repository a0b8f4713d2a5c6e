import { expect, test } from 'vitest'
import { createAnswerCache } from './answer-cache.ts'

function cacheAt() {
  const clock = { now: 0 }
  const cache = createAnswerCache<{ body: Buffer }>({ now: () => new Date(clock.now) }, () => true)
  const make = (key: string, did: string, text: string) =>
    cache.make({ key, did }, async () => ({ body: Buffer.from(text) }))
  return { clock, cache, make }
}

test('an answer is kept for a second, counted from the question', async () => {
  const { clock, cache, make } = cacheAt()
  await make('a', 'did', 'one')
  clock.now = 999
  expect(cache.find('a')?.body.toString()).toBe('one')
  clock.now = 1000
  expect(cache.find('a')).toBeUndefined()
})

test('a clock that is set back makes no answer live longer', async () => {
  const { clock, cache, make } = cacheAt()
  clock.now = 10_000
  await make('a', 'did', 'one')
  clock.now = 5000
  expect(cache.find('a')).toBeUndefined()
})

test('a write forgets every answer about the DID, also those that are being made', async () => {
  const { cache, make } = cacheAt()
  await make('a', 'did', 'one')
  await make('b', 'did', 'two')
  await make('c', 'other', 'three')
  const gate = Promise.withResolvers<{ body: Buffer }>()
  const making = cache.make({ key: 'd', did: 'did' }, () => gate.promise)
  cache.forget('did')
  gate.resolve({ body: Buffer.from('before the write') })
  expect((await making).body.toString()).toBe('before the write')
  expect(['a', 'b', 'c', 'd'].map((key) => cache.find(key)?.body.toString())).toEqual([
    undefined,
    undefined,
    'three',
    undefined,
  ])
})

test('no more is kept than the limits say, and the oldest goes first', async () => {
  const { cache, make } = cacheAt()
  for (let i = 0; i <= 5000; i++) await make(`key ${i}`, `did ${i}`, 'x')
  expect(cache.find('key 0')).toBeUndefined()
  expect(cache.find('key 5000')?.body.toString()).toBe('x')
})

test('long questions count as well as long answers', async () => {
  const { cache, make } = cacheAt()
  for (let i = 0; i < 40; i++) await make(`${i} ${'?'.repeat(1024 * 1024)}`, 'did', 'x')
  expect(cache.find(`0 ${'?'.repeat(1024 * 1024)}`)).toBeUndefined()
  expect(cache.find(`39 ${'?'.repeat(1024 * 1024)}`)?.body.toString()).toBe('x')
})

import { expect, test } from 'vitest'
import { holdLogKey, replaceLogKey } from './log-key.ts'

const first = 'city.example/log+0a0b0c0d+AbC+d'
const later = new Date('2026-06-02T00:00:00Z')

function emptyStorage(): Storage {
  const items = new Map<string, string>()
  return {
    length: 0,
    clear: () => items.clear(),
    key: () => null,
    removeItem: (name) => void items.delete(name),
    getItem: (name) => items.get(name) ?? null,
    setItem: (name, value) => void items.set(name, value),
  }
}

test('the first key is kept, and no later one takes its place by itself', () => {
  const storage = emptyStorage()
  const since = '2026-06-01T00:00:00.000Z'
  const seen = { vkey: first, since }
  expect(holdLogKey(first, storage, new Date(since))).toEqual({ ...seen, changed: false })
  expect(holdLogKey('city.example/log+00000000+other', storage, later)).toEqual({ ...seen, changed: true })
  expect(holdLogKey(first, storage, later)).toEqual({ ...seen, changed: false })
})

test('a new key is trusted once the customer says so', () => {
  const storage = emptyStorage()
  holdLogKey(first, storage, new Date('2026-06-01T00:00:00Z'))
  replaceLogKey('new', storage, later)
  expect(holdLogKey('new', storage)).toEqual({ vkey: 'new', since: later.toISOString(), changed: false })
  expect(holdLogKey(first, storage).changed).toBe(true)
})

test('what is kept but cannot be read counts as another key', () => {
  const storage = emptyStorage()
  storage.setItem('tillit-log-key', 'nonsense')
  expect(holdLogKey(first, storage).changed).toBe(true)
})

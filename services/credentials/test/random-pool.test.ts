import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { randomPool } from '../src/bulk/random-pool.ts'

test('a pool gives each byte of its draws once, in any lengths', () => {
  const draws: Uint8Array[] = []
  const random = randomPool((length) => {
    const draw = new Uint8Array(randomBytes(length))
    draws.push(draw)
    return draw
  })
  const given = Array.from({ length: 2_000 }, (_, i) => random((i % 5) * 8 + 16))
  const texts = given.map((bytes) => Buffer.from(bytes).toString('hex'))
  expect(new Set(texts).size).toBe(2_000)
  expect(given.every((bytes, i) => bytes.length === (i % 5) * 8 + 16)).toBe(true)
  const all = draws.map((draw) => Buffer.from(draw).toString('hex'))
  expect(texts.every((text) => all.some((draw) => draw.includes(text)))).toBe(true)
  expect(draws.length).toBeGreaterThan(1)
})

test('what is taken from a pool may be changed without changing what comes next', () => {
  const random = randomPool((length) => Uint8Array.from({ length }, (_, i) => i % 251))
  const first = random(16)
  first.fill(0)
  expect([...random(4)]).toEqual([16, 17, 18, 19])
})

test('more than a pool holds is drawn by itself', () => {
  const lengths: number[] = []
  const random = randomPool((length) => {
    lengths.push(length)
    return new Uint8Array(length)
  })
  expect(random(20_000)).toHaveLength(20_000)
  expect(lengths).toEqual([20_000])
})

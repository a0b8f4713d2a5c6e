import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromMilli, parseMilli, toMilli } from './milli.ts'

test('thousandths survive the way to the wire and back', () => {
  fc.assert(
    fc.property(fc.integer({ min: -1e15, max: 1e15 }), (milli) => {
      expect(toMilli(fromMilli(milli))).toBe(milli)
      expect(toMilli(JSON.parse(JSON.stringify(fromMilli(milli))))).toBe(milli)
    }),
  )
})

test('decimal text is read digit by digit', () => {
  expect(parseMilli('0.219', 3)).toBe(219_000)
  expect(parseMilli('1.0779999', 3)).toBe(1_078_000)
  expect(parseMilli('10000', -3)).toBe(10_000)
  expect(parseMilli('-0.0005', 0)).toBe(-1)
  expect(parseMilli('-0.0001', 0)).toBe(0)
  for (const text of ['', '1e3', 'NaN', '0x10', '1,5', '1.2.3', 'Infinity']) expect(parseMilli(text)).toBeUndefined()
  expect(() => parseMilli('1000000000001')).toThrow(/1e12/)
  expect(() => toMilli(Number.NaN)).toThrow(/1e12/)
})

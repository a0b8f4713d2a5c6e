import { isProblem } from '@tillit/problem'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { gsrnCheckDigit, parseGsrn } from './gsrn.ts'

const first17 = fc.stringMatching(/^[0-9]{17}$/)

test('a number with its check digit is a GSRN, and no other last digit is', () => {
  fc.assert(
    fc.property(first17, (digits) => {
      const check = gsrnCheckDigit(digits)
      for (let last = 0; last < 10; last++) {
        if (last === check) expect(parseGsrn(`${digits}${last}`)).toBe(`${digits}${last}`)
        else expect(() => parseGsrn(`${digits}${last}`)).toThrow(/check digit/)
      }
    }),
  )
})

test('one wrong digit anywhere is found', () => {
  fc.assert(
    fc.property(first17, fc.nat(17), fc.integer({ min: 1, max: 9 }), (digits, at, by) => {
      const whole = `${digits}${gsrnCheckDigit(digits)}`
      const wrong = whole.slice(0, at) + ((Number(whole.charAt(at)) + by) % 10) + whole.slice(at + 1)
      expect(() => parseGsrn(wrong)).toThrow()
    }),
  )
})

test('the problem says which rule is broken and does not repeat the number', () => {
  for (const [text, says] of [
    ['70705750000000000', /18 digits; this one has 17/],
    ['70705750000000000x', /digits only/],
    ['٧07057500000000001', /digits only/],
    ['707057500000000002', /check digit/],
  ] as const) {
    try {
      parseGsrn(text)
      expect.unreachable()
    } catch (error) {
      expect(isProblem(error, 'invalid-gsrn') && error.message).toMatch(says)
      expect(String(error)).not.toContain(text)
    }
  }
})

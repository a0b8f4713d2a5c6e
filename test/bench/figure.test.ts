import { expect, test } from 'vitest'
import { describeFigure, figureWithin } from './figure.ts'

test('draws a curve whose bars grow by as much for each factor of ten', () => {
  const one = figureWithin({ bench: 'b', figure: 'f', value: 5, unit: 'gas' }, { most: 6 })
  const points = [10, 1, 0.1].map((value, i) => ({ at: 10 ** i, value }))
  const text = describeFigure({ ...one, curve: { over: 'operations', unit: 'gas', points } })
  expect(text).toContain('target <= 1: met')
  expect([...text.matchAll(/█+/g)].map(([bar]) => bar.length)).toEqual([17, 9, 1])
})

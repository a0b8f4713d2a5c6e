import { expect, test } from 'vitest'
import { detectFormat } from './detect-format.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

test.each([
  ['start,value\r\n2013-01-01 00:00:00,0.219\r\n', 'csv'],
  ['2013-01-01 00:00;0,5\n', 'csv'],
  ['\uFEFFstart\tvalue\n', 'csv'],
  ['\uFEFF<?xml version="1.0"?><feed/>', 'espi'],
  ['\n\n<feed xmlns="http://www.w3.org/2005/Atom">', 'espi'],
  ['', undefined],
  ['{"readings":[]}', undefined],
  ['PK\u0003\u0004\u0000,', undefined],
])('%j is %s', (text, format) => {
  expect(detectFormat(bytes(text))).toBe(format)
})

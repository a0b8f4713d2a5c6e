import { isProblem } from '@tillit/problem'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type CsvOptions, parseCsv } from './parse-csv.ts'
import type { ParsedReading } from './parsed-reading.ts'

async function* chunksOf(text: string, size = 7): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text)
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size)
}

async function read(text: string, options: Partial<CsvOptions> = {}, size = 7) {
  const stream = parseCsv(chunksOf(text, size), { timeZone: 'UTC', unit: 'kWh', ...options })
  const readings: ParsedReading[] = []
  for await (const reading of stream) readings.push(reading)
  return { readings, counts: stream.counts }
}

test('rows become readings in watt-hours, the interval length is inferred and exact repeats are dropped', async () => {
  const text = 'start,value\r\n2013-01-01 00:00:00,0.219\r\n2013-01-01 00:30:00,0.241\r\n2013-01-01 00:30:00,0.241\r\n'
  const { readings, counts } = await read(text)
  expect(counts).toEqual({ readings: 2, duplicates: 1 })
  expect(readings[0]).toEqual({
    startMs: Date.parse('2013-01-01T00:00:00Z'),
    durationSeconds: 1800,
    valueMilli: 219_000,
    quality: 'measured',
    product: 'active_energy',
    direction: 'consumption',
    unit: 'W.h',
    line: 2,
  })
})

test('where the file is cut into chunks makes no difference', async () => {
  const text = 'start;value;quality\n2013-01-01T00:00Z;0,5;estimated\n2013-01-01T00:15Z;1,25;measured\n'
  const whole = await read(text, {}, 10_000)
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 40 }), async (size) => {
      expect(await read(text, {}, size)).toEqual(whole)
    }),
  )
})

test('wall times of the zone: an hour shown twice is two hours, a skipped one is refused', async () => {
  const autumn = ['00:00', '01:00', '01:00', '02:00'].map((time, i) => `2013-10-27 ${time},${i}`).join('\n')
  const { readings } = await read(autumn, { timeZone: 'Europe/London', durationSeconds: 3600 })
  expect(readings.map(({ startMs }) => new Date(startMs).toISOString().slice(0, 16))).toEqual([
    '2013-10-26T23:00',
    '2013-10-27T00:00',
    '2013-10-27T01:00',
    '2013-10-27T02:00',
  ])
  const spring = '2013-03-31 00:30,1\n2013-03-31 01:30,2\n'
  await expect(read(spring, { timeZone: 'Europe/London' })).rejects.toThrow(/Line 2: The clock of Europe\/London skips/)
})

test.each([
  ['a value that conflicts', '2013-01-01 00:00,1\n2013-01-01 00:00,2\n2013-01-01 00:30,2\n', 'conflicting-reading', 2],
  ['a row out of order', '2013-01-01 01:00,1\n2013-01-01 02:00,1\n2013-01-01 00:30,2\n', 'invalid-reading', 3],
  [
    'an overlap',
    '2013-01-01 00:00,1\n2013-01-01 01:00,1\n2013-01-01 02:00,1\n2013-01-01 02:30,2\n',
    'invalid-reading',
    4,
  ],
  ['a negative energy', '2013-01-01 00:00,-1\n2013-01-01 00:30,2\n', 'invalid-reading', 1],
  ['a word for a value', '2013-01-01 00:00,one\n', 'invalid-reading', 1],
  ['a day that does not exist', 'start,value\n2013-02-29 00:00,1\n', 'invalid-reading', 2],
] as const)('%s is refused with its line', async (_, text, code, line) => {
  await expect(read(text)).rejects.toSatisfy((error) => isProblem(error, code) && error.pointer === `line:${line}`)
})

test.each([
  ['no known columns', 'a,b\n1,2\n'],
  ['nothing in it', ''],
  ['one row only, so that no interval length shows', '2013-01-01 00:00,1\n'],
  ['a line without an end', `start,value,${'x'.repeat(10_000)}`],
])('a file with %s is refused', async (_, text) => {
  await expect(read(text, {}, 4096)).rejects.toSatisfy((error) => isProblem(error, 'invalid-file'))
})

test('bytes that are not UTF-8 are refused', async () => {
  async function* bytes() {
    yield Uint8Array.of(0x73, 0xff, 0xfe)
  }
  const stream = parseCsv(bytes(), { timeZone: 'UTC', unit: 'kWh' })[Symbol.asyncIterator]()
  await expect(stream.next()).rejects.toSatisfy((error) => isProblem(error, 'invalid-file'))
})

test('an unknown unit or zone is refused before anything is read', () => {
  expect(() => parseCsv(chunksOf(''), { timeZone: 'UTC', unit: 'therm' })).toThrow(/unit/)
  expect(() => parseCsv(chunksOf(''), { timeZone: 'Mars/Olympus', unit: 'kWh' })).toThrow(/time zone/)
})

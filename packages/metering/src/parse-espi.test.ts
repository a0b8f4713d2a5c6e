import { isProblem } from '@tillit/problem'
import { expect, test } from 'vitest'
import { parseEspi } from './parse-espi.ts'
import type { ParsedReading } from './parsed-reading.ts'
import { maxXmlDepth, maxXmlTextCharacters } from './stream-xml.ts'

const type = (extra = '<powerOfTenMultiplier>-3</powerOfTenMultiplier>', uom = 72, flow = 1) =>
  `<entry><link rel="self" href="/RT/${flow}"/><content><ReadingType xmlns="http://naesb.org/espi">` +
  `<accumulationBehaviour>4</accumulationBehaviour><flowDirection>${flow}</flowDirection><intervalLength>900</intervalLength>` +
  `${extra}<uom>${uom}</uom></ReadingType></content></entry>`
const reading = (start: number, value: string, quality = '') =>
  `<IntervalReading>${quality}<timePeriod><duration>900</duration><start>${start}</start></timePeriod>` +
  `<value>${value}</value></IntervalReading>`
const block = (readings: string, up = '/MR/1') =>
  `<entry><link rel="up" href="${up}/IntervalBlock"/><content><IntervalBlock xmlns="http://naesb.org/espi">` +
  `<interval><duration>86400</duration><start>1000</start></interval>${readings}</IntervalBlock></content></entry>`
const feed = (...entries: string[]) => `<feed xmlns="http://www.w3.org/2005/Atom">${entries.join('')}</feed>`

async function read(text: string, size = 1000): Promise<{ readings: ParsedReading[]; duplicates: number }> {
  async function* chunks() {
    for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size)
  }
  const stream = parseEspi(chunks())
  const readings: ParsedReading[] = []
  for await (const one of stream) readings.push(one)
  return { readings, duplicates: stream.counts.duplicates }
}

test('a value is multiplied by its power of ten; the worst quality counts; repeats are dropped', async () => {
  const quality =
    '<ReadingQuality><quality>17</quality></ReadingQuality><ReadingQuality><quality>8</quality></ReadingQuality>'
  const text = feed(type(), block(reading(1000, '10000', quality) + reading(1900, '7') + reading(1900, '7')))
  const { readings, duplicates } = await read(text)
  expect(duplicates).toBe(1)
  expect(readings).toMatchObject([
    { startMs: 1_000_000, durationSeconds: 900, valueMilli: 10_000, quality: 'estimated', unit: 'W.h' },
    { startMs: 1_900_000, durationSeconds: 900, valueMilli: 7, quality: 'measured', direction: 'consumption' },
  ])
  expect(await read(text, 1)).toEqual({ readings, duplicates })
})

test('two series in one feed are told apart by their links', async () => {
  const meterReading = (n: number, flow: number) =>
    `<entry><link rel="self" href="/MR/${n}"/><link rel="related" href="/RT/${flow}"/><content><MeterReading/></content></entry>`
  const { readings } = await read(
    feed(
      type('', 72, 1),
      type('', 72, 19),
      meterReading(1, 1),
      meterReading(2, 19),
      block(reading(1000, '5'), '/MR/1'),
      block(reading(1000, '6'), '/MR/2'),
    ),
  )
  expect(readings.map(({ direction, valueMilli }) => [direction, valueMilli])).toEqual([
    ['consumption', 5000],
    ['production', 6000],
  ])
})

test('a reading without a time of its own follows the one before it', async () => {
  const bare = '<IntervalReading><value>1</value></IntervalReading>'
  const { readings } = await read(feed(type(), block(bare + bare)))
  expect(readings.map(({ startMs }) => startMs)).toEqual([1_000_000, 1_900_000])
})

const bomb = '<!DOCTYPE feed [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
test.each([
  ['a document type', `${bomb}${feed(type(), block(reading(1, '1')))}`, /document type/],
  ['an entity that is not predefined', feed('<title>&xxe;</title>'), /not well formed/],
  ['an end that is missing', '<feed xmlns="http://www.w3.org/2005/Atom"><entry>', /not well formed/],
  ['another encoding', '<?xml version="1.0" encoding="UTF-16"?><feed/>', /UTF-8/],
  ['deep nesting', `<feed>${'<a>'.repeat(maxXmlDepth + 1)}`, /deep/],
  ['endless text', `<feed><title>${'x'.repeat(maxXmlTextCharacters * 2)}</title></feed>`, /characters/],
  ['an endless comment', `<feed><!--${'x'.repeat(maxXmlTextCharacters * 2)}--></feed>`, /characters/],
  ['an endless attribute', `<feed a="${'x'.repeat(maxXmlTextCharacters * 2)}"/>`, /characters/],
])('XML with %s is refused', async (_, text, detail) => {
  await expect(read(text)).rejects.toSatisfy((error) => isProblem(error, 'invalid-xml') && detail.test(error.message))
})

test.each([
  ['no readings', feed(type()), 'invalid-file', /no interval readings/],
  ['a root that is no feed', '<html/>', 'invalid-file', /not an Atom feed/],
  ['no ReadingType', feed(block(reading(1, '1'))), 'invalid-file', /No ReadingType/],
  ['a unit of something else', feed(type('', 119), block(reading(1, '1'))), 'invalid-file', /uom 119/],
  ['a net flow', feed(type('', 72, 4), block(reading(1, '1'))), 'invalid-file', /flow direction/],
  ['a negative energy', feed(type(), block(reading(1, '-1'))), 'invalid-reading', /negative/],
  ['a fraction', feed(type(), block(reading(1, '1.5'))), 'invalid-reading', /whole number/],
  ['a conflict', feed(type(), block(reading(1, '1') + reading(1, '2'))), 'conflicting-reading', /Another value/],
] as const)('a feed with %s is refused', async (_, text, code, detail) => {
  await expect(read(text)).rejects.toSatisfy((error) => isProblem(error, code) && detail.test(error.message))
})

test('a large feed streams: readings come out while the file still goes in', async () => {
  let given = 0
  async function* endless() {
    yield feed(type()).replace('</feed>', '<entry><content><IntervalBlock>')
    for (let i = 0; i < 20_000; i++) {
      given++
      yield reading(1000 + i * 900, '1')
    }
    yield '</IntervalBlock></content></entry></feed>'
  }
  let taken = 0
  for await (const one of parseEspi(endless())) {
    taken++
    expect(one.valueMilli).toBe(1)
    if (given - taken > 2) expect.unreachable('readings pile up inside the parser')
  }
  expect(taken).toBe(20_000)
})

import { Problem } from '@tillit/problem'
import { worseQuality } from './aggregate.ts'
import { qualityOfCode } from './espi-codes.ts'
import { type EntryLinks, type EspiReadingType, ReadingTypes } from './espi-reading-types.ts'
import { parseMilli } from './milli.ts'
import {
  atLine,
  type Chunks,
  isRepeat,
  type ParsedReading,
  type ReadingStream,
  type StreamCounts,
} from './parsed-reading.ts'
import { streamXml, type XmlElement, type XmlHandler } from './stream-xml.ts'

const longestIntervalSeconds = 366 * 86_400

/**
 * Parses a Green Button feed (NAESB ESPI 4.0 Atom XML) of any size, leniently: elements that are not needed may be
 * missing, misplaced or unknown. Each value is value × 10^powerOfTenMultiplier of its ReadingType.
 * Throws Problem invalid-xml, invalid-file (nothing to read, or not understood), invalid-reading or conflicting-reading.
 */
export function parseEspi(chunks: Chunks): ReadingStream {
  const counts: StreamCounts = { readings: 0, duplicates: 0 }
  return { counts, [Symbol.asyncIterator]: () => readingsOf(chunks, counts) }
}

async function* readingsOf(chunks: Chunks, counts: StreamCounts): AsyncGenerator<ParsedReading> {
  for await (const reading of streamXml(chunks, new EspiReader(counts))) {
    counts.readings++
    yield reading
  }
  if (counts.readings === 0) throw new Problem('invalid-file', { detail: 'The feed holds no interval readings' })
}

/** What is known of an element of the feed while it is open. */
interface Block {
  type: EspiReadingType | undefined
  startText: string
  last: ParsedReading | undefined
}
type Parts = Record<string, string>

class EspiReader implements XmlHandler<ParsedReading> {
  readonly #counts: StreamCounts
  readonly #types = new ReadingTypes()
  #found: ParsedReading[] = []
  #links: EntryLinks = noLinks()
  #type: Parts | undefined
  #block: Block | undefined
  #reading: Parts | undefined

  constructor(counts: StreamCounts) {
    this.#counts = counts
  }

  open({ name, path, line }: XmlElement, attribute: (name: string) => string | undefined): void {
    if (path.length === 0 && name !== 'feed' && name !== 'entry')
      throw new Problem('invalid-file', {
        detail: `Line ${line}: the XML is not an Atom feed`,
        pointer: `line:${line}`,
      })
    if (name === 'entry') {
      this.#links = noLinks()
      this.#type = undefined
    } else if (name === 'link' && path.at(-1) === 'entry') noteLink(this.#links, attribute('rel'), attribute('href'))
    else if (name === 'ReadingType') this.#type = {}
    else if (name === 'IntervalBlock') this.#block = { type: undefined, startText: '', last: undefined }
    else if (name === 'IntervalReading') this.#reading = {}
  }

  close({ name, path, line }: XmlElement, text: string): void {
    const parent = path.at(-1)
    if (name === 'entry') this.#types.remember(this.#links, this.#type)
    else if (name === 'IntervalBlock') this.#block = undefined
    else if (name === 'IntervalReading') this.#closeReading(line)
    else if (parent === 'ReadingType' && this.#type) this.#type[name] = text
    else if (this.#reading && name === 'quality') this.#reading.quality = worseCode(this.#reading.quality, text)
    else if (this.#reading && (parent === 'timePeriod' || parent === 'IntervalReading')) this.#reading[name] = text
    else if (this.#block && name === 'start' && parent === 'interval') this.#block.startText = text
  }

  take(): ParsedReading[] {
    const found = this.#found
    this.#found = []
    return found
  }

  #closeReading(line: number): void {
    const parts = this.#reading ?? {}
    const block = this.#block
    this.#reading = undefined
    if (!block) throw atLine(line, 'invalid-file', 'An IntervalReading stands outside an IntervalBlock')
    block.type ??= this.#types.ofBlock(this.#links, line)
    const reading = readingFrom(parts, { type: block.type, block, line })
    if (isRepeat(reading, block.last)) this.#counts.duplicates++
    else this.#found.push(reading)
    block.last = reading
  }
}

/** Without a timePeriod of its own, a reading follows the one before it, at the length that its ReadingType names. */
function readingFrom(
  parts: Parts,
  { type, block, line }: { type: EspiReadingType; block: Block; line: number },
): ParsedReading {
  const follows = block.last ? block.last.startMs / 1000 + block.last.durationSeconds : wholeNumber(block.startText)
  const startSeconds = parts.start === undefined ? follows : wholeNumber(parts.start)
  const durationSeconds = parts.duration === undefined ? type.intervalSeconds : wholeNumber(parts.duration)
  if (startSeconds === undefined) throw atLine(line, 'invalid-reading', 'The start is not a number of seconds')
  if (durationSeconds === undefined || durationSeconds < 1 || durationSeconds > longestIntervalSeconds)
    throw atLine(line, 'invalid-reading', 'The duration is not a number of seconds up to a year')
  const valueMilli = /^-?\d+$/.test(parts.value ?? '') ? parseMilli(parts.value ?? '', type.power) : undefined
  if (valueMilli === undefined) throw atLine(line, 'invalid-reading', 'The value is not a whole number')
  if (valueMilli < 0 && type.product.endsWith('_energy'))
    throw atLine(line, 'invalid-reading', 'Energy is not negative')
  const { product, direction, unit } = type
  const quality = parts.quality === undefined ? 'measured' : qualityOfCode(parts.quality)
  return { startMs: startSeconds * 1000, durationSeconds, valueMilli, quality, product, direction, unit, line }
}

function worseCode(known: string | undefined, code: string): string {
  if (known === undefined) return code
  return worseQuality(qualityOfCode(known), qualityOfCode(code)) === qualityOfCode(code) ? code : known
}

function wholeNumber(text: string): number | undefined {
  return /^\d{1,11}$/.test(text) ? Number(text) : undefined
}

function noteLink(links: EntryLinks, rel: string | undefined, href: string | undefined): void {
  if (href === undefined) return
  if (rel === 'self') links.self = href
  else if (rel === 'up') links.up = href
  else if (rel === 'related' && links.related.length < 100) links.related.push(href)
}

function noLinks(): EntryLinks {
  return { self: undefined, up: undefined, related: [] }
}

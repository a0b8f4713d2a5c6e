import { Problem } from '@tillit/problem'
import type { BatchClaims, Quality } from '@tillit/schemas'
import { type CsvColumns, columnsOf, splitCsvRow } from './csv-columns.ts'
import { type FileUnit, parseFileUnit } from './file-units.ts'
import { linesOf } from './lines.ts'
import { parseStamp } from './local-stamp.ts'
import { parseMilli } from './milli.ts'
import {
  atLine,
  type Chunks,
  isRepeat,
  type ParsedReading,
  type ReadingStream,
  type StreamCounts,
} from './parsed-reading.ts'
import { checkTimeZone } from './time-zone.ts'

export interface CsvOptions {
  /** The zone of time stamps that name none; `UTC` is one. */
  timeZone: string
  /** As parseFileUnit reads it, for example kWh. */
  unit: string
  direction?: BatchClaims['direction']
  /** Length of each interval; without it the most frequent distance between the first rows. */
  durationSeconds?: number
}

/** Rows looked at before the length of the intervals is settled. */
const rowsToInferFrom = 200

const longestIntervalSeconds = 366 * 86_400

const qualities: readonly string[] = ['measured', 'estimated', 'adjusted', 'missing'] satisfies Quality[]

interface Row {
  startMs: number
  valueMilli: number
  quality: Quality
  line: number
}

/**
 * Parses `start,value[,quality]` rows in ascending order of time, in bounded memory. A header is recognised by its names;
 * `,`, `;` and tabs separate. A row equal to the one above is dropped and counted. A wall time that the clock shows
 * twice is taken as the first one not yet passed; one that it skips is refused.
 * Throws Problem invalid-time-zone, invalid-file, invalid-reading or conflicting-reading; the detail names the line.
 */
export function parseCsv(chunks: Chunks, options: CsvOptions): ReadingStream {
  checkTimeZone(options.timeZone)
  checkDuration(options.durationSeconds)
  const unit = parseFileUnit(options.unit)
  const counts: StreamCounts = { readings: 0, duplicates: 0 }
  return { counts, [Symbol.asyncIterator]: () => readingsOf(chunks, { options, unit, counts }) }
}

async function* readingsOf(
  chunks: Chunks,
  { options, unit, counts }: { options: CsvOptions; unit: FileUnit; counts: StreamCounts },
): AsyncGenerator<ParsedReading> {
  const { product, unit: ucum } = unit
  const direction = options.direction ?? 'consumption'
  let last: ParsedReading | undefined
  for await (const { row, durationSeconds } of timedRows(rowsOf(chunks, options.timeZone, unit), options)) {
    const reading = { ...row, durationSeconds, product, direction, unit: ucum }
    if (isRepeat(reading, last)) {
      counts.duplicates++
      continue
    }
    if (product.endsWith('_energy') && row.valueMilli < 0)
      throw atLine(row.line, 'invalid-reading', 'Energy is not negative')
    last = reading
    counts.readings++
    yield reading
  }
  if (counts.readings === 0) throw new Problem('invalid-file', { detail: 'The file holds no readings' })
}

async function* rowsOf(chunks: Chunks, timeZone: string, unit: FileUnit): AsyncGenerator<Row> {
  let columns: CsvColumns | undefined
  let lastStartMs = Number.NEGATIVE_INFINITY
  for await (const { text, line } of linesOf(chunks)) {
    if (text.trim() === '') continue
    if (columns === undefined) {
      const found = columnsOf(line === 1 ? text.replace(/^\uFEFF/, '') : text, (cell) => parseStamp(cell, timeZone))
      columns = found.columns
      if (found.isHeader) continue
    }
    const row = parseRow({ text, line }, columns, { timeZone, unit, lastStartMs })
    lastStartMs = row.startMs
    yield row
  }
}

function parseRow(
  { text, line }: { text: string; line: number },
  columns: CsvColumns,
  { timeZone, unit, lastStartMs }: { timeZone: string; unit: FileUnit; lastStartMs: number },
): Row {
  const cells = splitCsvRow(text, columns.separator)
  const stamp = parseStamp(cells[columns.start] ?? '', timeZone)
  if (!stamp) throw atLine(line, 'invalid-reading', 'The start is not a time stamp such as 2013-01-01 00:30:00')
  const [first, second] = stamp.instantsMs
  if (first === undefined) throw atLine(line, 'invalid-reading', `The clock of ${timeZone} skips this time`)
  const valueText = cells[columns.value] ?? ''
  const valueMilli = parseMilli(columns.separator === ',' ? valueText : valueText.replace(',', '.'), unit.power)
  if (valueMilli === undefined) throw atLine(line, 'invalid-reading', 'The value is not a decimal number')
  const quality = columns.quality === undefined ? 'measured' : (cells[columns.quality] ?? '').toLowerCase()
  if (!isQuality(quality)) throw atLine(line, 'invalid-reading', 'The quality is not known')
  const startMs = second !== undefined && first <= lastStartMs ? second : first
  return { startMs, valueMilli, quality, line }
}

async function* timedRows(
  rows: AsyncGenerator<Row>,
  options: CsvOptions,
): AsyncGenerator<{ row: Row; durationSeconds: number }> {
  let durationSeconds = options.durationSeconds
  let waiting: Row[] = []
  for await (const row of rows) {
    if (durationSeconds === undefined) {
      waiting.push(row)
      if (waiting.length < rowsToInferFrom) continue
      durationSeconds = inferDurationSeconds(waiting)
      for (const early of waiting) yield { row: early, durationSeconds }
      waiting = []
    } else yield { row, durationSeconds }
  }
  if (waiting.length === 0) return
  const inferred = inferDurationSeconds(waiting)
  for (const row of waiting) yield { row, durationSeconds: inferred }
}

function inferDurationSeconds(rows: readonly Row[]): number {
  const counts = new Map<number, number>()
  for (let i = 1; i < rows.length; i++) {
    const seconds = ((rows[i]?.startMs ?? 0) - (rows[i - 1]?.startMs ?? 0)) / 1000
    if (seconds > 0 && seconds <= longestIntervalSeconds) counts.set(seconds, (counts.get(seconds) ?? 0) + 1)
  }
  const [best] = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0])
  if (!best) throw new Problem('invalid-file', { detail: 'The length of the intervals does not show; name it' })
  return best[0]
}

function checkDuration(seconds: number | undefined): void {
  if (seconds === undefined || (Number.isInteger(seconds) && seconds > 0 && seconds <= longestIntervalSeconds)) return
  throw new Problem('invalid-file', { detail: 'An interval is a whole number of seconds long, up to a year' })
}

function isQuality(text: string): text is Quality {
  return qualities.includes(text)
}

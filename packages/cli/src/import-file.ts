import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import type { City } from '@tillit/client'
import {
  detectFormat,
  detectFormatBytes,
  type ParsedReading,
  parseCsv,
  parseEspi,
  type ReadingStream,
  toWireReading,
} from '@tillit/metering'
import type { Reading } from '@tillit/schemas'
import { connectAs } from './identity.ts'
import { type Progress, showProgress } from './progress.ts'
import { onlyArgument, UsageError, wrongCall } from './usage-error.ts'

/** Readings sent in one request. */
const chunkReadings = 2_000

export const importUsage = `tillit import FILE --metering-point mp_… [--zone Europe/Oslo] [--unit kWh]
              [--direction consumption|production] [--identity FILE] [--city URL]
  Imports a Green Button feed (ESPI XML) or a CSV file (start,value[,quality]) as the utility of the
  metering point. Run again it changes nothing: what is stored already is counted as a duplicate.
  --zone       zone of time stamps that name none (CSV; UTC)
  --unit       unit of the values (CSV; kWh)
  --direction  of the values (CSV; consumption)
  --identity   file with the utility's DID and key; without it that of the demonstration
  --city       the city's URL; without it that of the identity`

/** Streams a file into the city in chunks; each chunk is idempotent, so an interrupted import is simply run again. */
export async function importFile(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      'metering-point': { type: 'string' },
      zone: { type: 'string', default: 'UTC' },
      unit: { type: 'string', default: 'kWh' },
      direction: { type: 'string', default: 'consumption' },
      identity: { type: 'string' },
      city: { type: 'string' },
    },
  })
  const file = onlyArgument(positionals, { name: 'FILE', usage: importUsage })
  const meteringPoint = values['metering-point']
  if (meteringPoint === undefined) throw wrongCall('--metering-point is missing.', importUsage)
  const direction = values.direction
  if (direction !== 'consumption' && direction !== 'production')
    throw new UsageError('--direction is consumption or production.')
  const city = await connectAs(values, 'utility')
  const progress = showProgress(process.stderr)
  const { stream, bytesRead, bytesTotal } = await openReadings(file, {
    timeZone: values.zone,
    unit: values.unit,
    direction,
  })
  const totals: Totals = { stored: 0, duplicates: 0, refused: 0 }
  for await (const chunk of chunksOf(stream)) {
    await send(city, meteringPoint, chunk, totals)
    progress.update(
      bytesRead(),
      bytesTotal,
      `${totals.stored} stored, ${totals.duplicates + stream.counts.duplicates} duplicates`,
    )
  }
  finish(progress, bytesTotal, totals, stream)
  return totals.refused === 0 ? 0 : 1
}

interface Totals {
  stored: number
  duplicates: number
  refused: number
}

interface ImportAnswer {
  stored: number
  duplicates: number
  refused: { index: number; code: string; detail: string }[]
}

async function openReadings(
  file: string,
  options: { timeZone: string; unit: string; direction: 'consumption' | 'production' },
) {
  const found = await stat(file).catch(() => null)
  if (!found?.isFile()) throw new UsageError(`${file} cannot be read.`)
  const format = detectFormat(await firstBytes(file))
  if (format === undefined) throw new UsageError(`${file} is neither a Green Button feed nor a CSV file.`)
  const source = createReadStream(file)
  const stream = format === 'espi' ? parseEspi(source) : parseCsv(source, options)
  return { stream, bytesRead: () => source.bytesRead, bytesTotal: found.size }
}

async function firstBytes(file: string): Promise<Uint8Array> {
  const handle = await open(file)
  try {
    const { buffer, bytesRead } = await handle.read(new Uint8Array(detectFormatBytes), 0, detectFormatBytes, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}

interface Chunk {
  product: ParsedReading['product']
  direction: ParsedReading['direction']
  unit: string
  readings: Reading[]
  lines: number[]
}

/** Readings of one kind in a row, as many as a request takes. */
async function* chunksOf(stream: ReadingStream): AsyncGenerator<Chunk> {
  let chunk: Chunk | null = null
  for await (const reading of stream) {
    const { product, direction, unit } = reading
    if (
      chunk !== null &&
      (chunk.readings.length >= chunkReadings ||
        chunk.product !== product ||
        chunk.direction !== direction ||
        chunk.unit !== unit)
    ) {
      yield chunk
      chunk = null
    }
    chunk ??= { product, direction, unit, readings: [], lines: [] }
    chunk.readings.push(toWireReading(reading))
    chunk.lines.push(reading.line)
  }
  if (chunk !== null) yield chunk
}

async function send(city: City, meteringPoint: string, { lines, ...body }: Chunk, totals: Totals): Promise<void> {
  const answer = await city.post<ImportAnswer>(`/metering-points/${meteringPoint}/imports`, body)
  totals.stored += answer.stored
  totals.duplicates += answer.duplicates
  totals.refused += answer.refused.length
  for (const { index, code, detail } of answer.refused)
    process.stderr.write(`\nline ${lines[index]}: ${code}: ${detail}\n`)
}

function finish(progress: Progress, bytesTotal: number, totals: Totals, stream: ReadingStream): void {
  const duplicates = totals.duplicates + stream.counts.duplicates
  progress.update(bytesTotal, bytesTotal, `${totals.stored} stored, ${duplicates} duplicates`)
  progress.end()
  console.log(`${totals.stored} readings stored, ${duplicates} duplicates left out, ${totals.refused} refused.`)
}

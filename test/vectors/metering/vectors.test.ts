import { readdirSync, readFileSync } from 'node:fs'
import { fromMilli, parseCsv, parseEspi, parseGsrn, type ReadingStream, windows } from '@tillit/metering'
import { isProblem } from '@tillit/problem'
import { expect, test } from 'vitest'

interface WindowsInput {
  granularity: string
  time_zone: string
  from: string
  to: string
}
type Vector = { sentence: string; code?: string; output?: unknown } & (
  | { kind: 'gsrn'; input: string }
  | { kind: 'windows'; input: WindowsInput }
  | { kind: 'csv'; input: string; options: { timeZone: string; unit: string; durationSeconds?: number } }
  | { kind: 'espi'; input: string }
)

const folder = new URL('.', import.meta.url)
const vectorsOf = (kind: 'valid' | 'invalid') =>
  readdirSync(new URL(`${kind}/`, folder)).map(
    (name) => JSON.parse(readFileSync(new URL(`${kind}/${name}`, folder), 'utf8')) as Vector,
  )

test.each(vectorsOf('valid'))('valid: $sentence', async (vector) => {
  expect(await run(vector)).toEqual(vector.output)
})

test.each(vectorsOf('invalid'))('invalid: $sentence', async (vector) => {
  await expect(run(vector)).rejects.toSatisfy((error) => isProblem(error) && error.code === vector.code)
})

async function run(vector: Vector): Promise<unknown> {
  switch (vector.kind) {
    case 'gsrn':
      return parseGsrn(vector.input)
    case 'windows': {
      const { granularity, time_zone, from, to } = vector.input
      const all = windows({ granularity, timeZone: time_zone, fromMs: Date.parse(from), toMs: Date.parse(to) })
      return [...all].map(({ startMs, endMs }) => [instant(startMs), instant(endMs)])
    }
    case 'csv':
      return collect(parseCsv(chunks(vector.input), vector.options))
    case 'espi':
      return collect(parseEspi(chunks(vector.input)))
  }
}

async function collect(stream: ReadingStream): Promise<unknown> {
  const readings: unknown[] = []
  for await (const { startMs, durationSeconds, valueMilli } of stream)
    readings.push([instant(startMs), durationSeconds, fromMilli(valueMilli)])
  return { readings, duplicates: stream.counts.duplicates }
}

async function* chunks(text: string): AsyncGenerator<string> {
  yield text
}

function instant(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z')
}

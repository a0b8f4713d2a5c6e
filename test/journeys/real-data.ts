import { spawn } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { detectFormat, detectFormatBytes, parseCsv, parseEspi } from '@tillit/metering'
import type { RealData } from './play.ts'

const cli = new URL('../../packages/cli/bin/tillit.mjs', import.meta.url).pathname

export interface FileOptions {
  file: string
  /** Zone of stamps that name none. */
  zone: string
  unit: string
  /** Local calendar of the metering point. */
  calendar: string
}

/** A file of readings for the play: when it is from, and its import through the command line as anyone would do it. */
export async function realData({ file, zone, unit, calendar }: FileOptions): Promise<RealData> {
  const { from, to } = await spanOf(file, { zone, unit })
  return {
    timeZone: calendar,
    from,
    to,
    importTo: async ({ meteringPoint }, { city }) => {
      const folder = await mkdtemp(join(tmpdir(), 'tillit-identity-'))
      try {
        const identity = join(folder, 'utility.json')
        const { did, keyId, privateJwk } = city.utility
        await writeFile(
          identity,
          JSON.stringify({ name: 'utility', city: city.url, did, key_id: keyId, private_jwk: privateJwk }),
          { mode: 0o600 },
        )
        const args = [
          cli,
          'import',
          file,
          '--metering-point',
          meteringPoint,
          '--zone',
          zone,
          '--unit',
          unit,
          '--identity',
          identity,
        ]
        const status = await run(args)
        if (status !== 0) throw new Error(`tillit import ended with status ${status}`)
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    },
  }
}

async function spanOf(file: string, { zone, unit }: { zone: string; unit: string }): Promise<{ from: Date; to: Date }> {
  const handle = await open(file)
  const { buffer, bytesRead } = await handle.read(new Uint8Array(detectFormatBytes), 0, detectFormatBytes, 0)
  await handle.close()
  const format = detectFormat(buffer.subarray(0, bytesRead))
  if (format === undefined) throw new Error(`${file} is neither a Green Button feed nor a CSV file`)
  const stream =
    format === 'espi' ? parseEspi(createReadStream(file)) : parseCsv(createReadStream(file), { timeZone: zone, unit })
  let from = Number.POSITIVE_INFINITY
  let to = Number.NEGATIVE_INFINITY
  for await (const { startMs, durationSeconds } of stream) {
    from = Math.min(from, startMs)
    to = Math.max(to, startMs + durationSeconds * 1000)
  }
  return { from: new Date(from), to: new Date(to) }
}

/** Shows what the command shows. */
function run(args: string[]): Promise<number | null> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 2, 2] })
  return new Promise((done, fail) => child.once('error', fail).once('exit', done))
}

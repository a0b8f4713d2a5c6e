import { type FileHandle, open } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { connectAs } from '../identity.ts'
import { type Progress, showProgress } from '../progress.ts'
import { UsageError, wrongCall } from '../usage-error.ts'
import { type Answered, issueCredentials, offerCredentials, type Sender } from './issue-rows.ts'
import { readTable, surveyTable, type TableRow, toCell } from './read-table.ts'
import { openRunFile, type RunFile } from './run-file.ts'

/** Batches under way at once: the city signs one while it stores another. */
const batchesAtOnce = 2

export const issueUsage = `tillit credentials issue --from FILE --type TYPE --out FILE [--refused FILE]
              [--credentials | --offers [--no-code]] [--identity FILE] [--city URL]
  Issues a credential of the type for each line of a CSV file, or makes an offer of one. Cut off, it
  is run again with the same files: what is in --out is not issued twice.
  --from         the first line names the columns. For credentials: holder (a DID: did:jwk, did:key),
                 the claims of the type (of gsrn and metering_point one is enough), expires. For
                 offers: customer (cust_…), metering_point
  --type         MeteringPointEntitlement, MeterDeviceCredential, RepresentationCredential
  --out          what was issued, a line of JSON for each. Keep it secret
  --refused      which lines were refused, and why (CSV; FILE.refused.csv beside --out)
  --credentials  to wallets whose keys are known (the default)
  --offers       as links that the customers open in a wallet of their own, each with a code that
                 travels by another way (--no-code: without)
  --identity     file with the utility's DID and key; without it that of the demonstration
  --city         the city's URL; without it that of the identity`

/** Exit status 0: all were issued; 1: some were refused. */
export async function issueTable(args: string[]): Promise<number> {
  const options = readOptions(args)
  const city = await connectAs(options, 'utility')
  const { rows, sha256 } = await surveyTable(options.from)
  const subject = { city: city.url, what: options.what, type: options.type, sha256 }
  const out = await openRunFile(options.out, subject)
  const refusals = await open(options.refused, 'w', 0o600)
  try {
    await refusals.appendFile('line,code,detail\n')
    const send =
      options.what === 'offers'
        ? offerCredentials(city, { type: options.type, withCode: options.withCode })
        : issueCredentials(city, { type: options.type, run: out.run })
    const totals = await issueAll(readTable(options.from), { send, out, refusals, rows })
    console.log(
      `${totals.issued} ${options.what} made, ${totals.refused} lines refused, ${out.done.size} were there already.`,
    )
    return totals.refused === 0 ? 0 : 1
  } finally {
    await refusals.close()
    await out.close()
  }
}

interface Totals {
  issued: number
  refused: number
}

async function issueAll(
  table: AsyncIterable<TableRow>,
  { send, out, refusals, rows }: { send: Sender; out: RunFile; refusals: FileHandle; rows: number },
): Promise<Totals> {
  const progress: Progress = showProgress(process.stderr)
  const totals: Totals = { issued: 0, refused: 0 }
  const show = () => {
    const done = out.done.size + totals.issued + totals.refused
    progress.update(done, rows, `${totals.issued} of ${rows} issued, ${totals.refused} refused`)
  }
  const keep = async ({ issued, refused }: Answered) => {
    await out.append(issued)
    await refusals.appendFile(
      refused.map(({ line, code, detail }) => `${line},${toCell(code)},${toCell(detail)}\n`).join(''),
    )
    totals.issued += issued.length
    totals.refused += refused.length
    show()
  }
  show()
  const batches = batchesOf(table, { size: send.batchSize, done: out.done })
  // Each of the workers takes the next batch when its last one is kept; a generator hands them out one by one.
  await Promise.all(
    Array.from({ length: batchesAtOnce }, async () => {
      for await (const batch of batches) await keep(await send.send(batch))
    }),
  )
  progress.end()
  return totals
}

/** An iterator that several workers may take from: none of them ends it for the others. */
function batchesOf(
  table: AsyncIterable<TableRow>,
  { size, done }: { size: number; done: ReadonlySet<number> },
): AsyncIterable<TableRow[]> {
  const generator = (async function* () {
    let batch: TableRow[] = []
    for await (const row of table) {
      if (done.has(row.line)) continue
      batch.push(row)
      if (batch.length < size) continue
      yield batch
      batch = []
    }
    if (batch.length > 0) yield batch
  })()
  return { [Symbol.asyncIterator]: () => ({ next: () => generator.next() }) }
}

function readOptions(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      from: { type: 'string' },
      type: { type: 'string' },
      out: { type: 'string' },
      refused: { type: 'string' },
      credentials: { type: 'boolean', default: false },
      offers: { type: 'boolean', default: false },
      'no-code': { type: 'boolean', default: false },
      identity: { type: 'string' },
      city: { type: 'string' },
    },
  })
  const { from, type, out } = values
  for (const name of ['from', 'type', 'out'] as const)
    if (values[name] === undefined) throw wrongCall(`--${name} is missing.`, issueUsage)
  if (from === undefined || type === undefined || out === undefined)
    throw wrongCall('Something is missing.', issueUsage)
  if (values.credentials && values.offers) throw new UsageError('Credentials or offers: one of the two at a time.')
  if (values['no-code'] && !values.offers) throw new UsageError('--no-code is for --offers.')
  return {
    ...{ from, type, out, identity: values.identity, city: values.city },
    refused: values.refused ?? `${out}.refused.csv`,
    what: values.offers ? ('offers' as const) : ('credentials' as const),
    withCode: !values['no-code'],
  }
}

import { parseArgs } from 'node:util'
import { connectCity, type FsckReport, fetchFromCity, fsckCity, type LedgerReader } from '@tillit/client'
import { showProgress } from '../progress.ts'
import { UsageError } from '../usage-error.ts'
import { findLedger, type LedgerPlace } from './ledger-place.ts'
import { cityUrl, forTerminal, readTrust, trustUsage } from './trust-options.ts'

export const fsckUsage = `tillit fsck URL [--policy FILE] [--vkey KEY] [--contract 0x…] [--ledger URL] [--json]
  Replays the whole log of a city and compares it with all that the city and the ledger say: checkpoint and cosignatures,
  tiles, entries, the history of every public DID, anchors. Exit status 1 when something is wrong.
${trustUsage}
  --contract  the anchor contract as you know it; without it the city's word is taken
  --ledger    JSON-RPC URL of a node of yours; without it the city is asked for one`

export async function fsck(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      policy: { type: 'string' },
      vkey: { type: 'string' },
      contract: { type: 'string' },
      ledger: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  })
  if (positionals.length !== 1) throw new UsageError(fsckUsage)
  const url = cityUrl(positionals[0], fsckUsage)
  const trust = await readTrust(values)
  const place = await findLedger(connectCity({ url }), values)
  const progress = values.json ? null : showProgress(process.stderr)
  const report = await fsckCity({
    ...trust,
    fetchCity: fetchFromCity(url),
    ...('absent' in place ? {} : { ledger: ledgerAt(place) }),
    now: () => new Date(),
    onProgress: ({ done, total }) => progress?.update(done, total, `${done} of ${total} entries`),
  })
  progress?.end()
  if (values.json) console.log(JSON.stringify({ ...report, ledger: 'absent' in place ? null : place.contract }))
  else for (const line of describe(report, place)) console.log(forTerminal(line))
  return report.sound ? 0 : 1
}

function ledgerAt({ rpcUrl, contract }: LedgerPlace): LedgerReader {
  return {
    contract,
    readAnchors: async () => {
      // Loaded only here: it takes longer than most commands run.
      const { readAnchors } = await import('@tillit/ledger/read')
      return readAnchors({ rpcUrl, contract })
    },
  }
}

function* describe(report: FsckReport, place: LedgerPlace | { absent: string }): Generator<string> {
  const { counts, cosignedBy } = report
  for (const { severity, code, where, what } of report.findings)
    yield `${severity === 'error' ? '✗' : '!'} ${where}: ${what} (${code})`
  if (report.moreFindings > 0) yield `✗ and ${report.moreFindings} more`
  if (report.origin !== null) {
    yield `  ${report.origin}: ${report.size} entries under the root ${report.root}`
    yield `  judged by ${report.trust} word; cosigned by ${cosignedBy.map(({ name }) => name).join(', ') || 'nobody'}`
    yield `  ${counts.opened} public entries opened, ${counts.dids} DIDs replayed, ${counts.unlisted} entries seen as commitments`
    yield `  ${counts.anchors} anchors compared ${'absent' in place ? `with the log only: ${place.absent}` : `with the ledger (${place.contract})`}`
  }
  yield report.sound ? '✓ nothing contradicts the city' : '✗ something is wrong'
}

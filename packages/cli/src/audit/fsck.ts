import { parseArgs } from 'node:util'
import { type FsckProgress, type FsckReport, fetchFromCity, fsckCity, type LedgerReader } from '@tillit/client'
import { cityAt, cityUrl } from '../city-at.ts'
import { type Progress, showProgress } from '../progress.ts'
import { onlyArgument } from '../usage-error.ts'
import { findLedger, type LedgerPlace } from './ledger-place.ts'
import { forTerminal, readTrust, trustUsage } from './trust-options.ts'

export const fsckUsage = `tillit fsck URL [--policy FILE] [--vkey KEY] [--contract 0x…] [--ledger URL] [--json]
  Replays the whole log of a city and compares it with all that the city and the ledger say:
  checkpoints and cosignatures, tiles, entries, the history of every public DID, anchors. Exit status
  1 when something is wrong.
${trustUsage}
  --contract  the anchor contract as you know it; without it the city's word is taken
  --ledger    JSON-RPC URL of a node of yours; without it the city is asked for one
  --json      the report as one object for programs`

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
  const url = cityUrl(onlyArgument(positionals, { name: 'URL', usage: fsckUsage }))
  const trust = await readTrust(values)
  const place = await findLedger(cityAt(url), values)
  const progress = values.json ? null : showStages()
  const report = await fsckCity({
    ...trust,
    fetchCity: fetchFromCity(url),
    ...('absent' in place ? {} : { ledger: ledgerAt(place) }),
    now: () => new Date(),
    onProgress: (reached) => progress?.update(reached),
  })
  progress?.end()
  if (values.json) console.log(JSON.stringify({ ...report, ledger: 'absent' in place ? null : place.contract }))
  else for (const line of describe(report, place)) console.log(forTerminal(line))
  return report.sound ? 0 : 1
}

/** A bar for each stage, one below the other. */
function showStages() {
  let shown: { stage: FsckProgress['stage']; bar: Progress } | null = null
  return {
    update({ stage, done, total }: FsckProgress): void {
      if (shown?.stage !== stage) {
        shown?.bar.end()
        shown = { stage, bar: showProgress(process.stderr) }
      }
      const things = stage === 'entries' ? 'entries replayed' : 'histories of DIDs compared'
      shown.bar.update(done, total, `${done} of ${total} ${things}`)
    },
    end: () => shown?.bar.end(),
  }
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
    yield `  log          ${report.origin}`
    yield `  entries      ${report.size}: ${counts.opened} public ones opened, ${counts.unlisted} seen as commitments only`
    yield `  root         ${report.root}`
    yield `  judged by    ${judgedBy(report.trust)}`
    yield `  cosigned by  ${cosignedBy.map(({ name }) => name).join(', ') || 'nobody'}`
    yield `  checkpoints  ${counts.checkpoints} published ones compared with the log`
    yield `  public DIDs  ${counts.dids} replayed and compared with what is served`
    yield `  anchors      ${counts.anchors} compared with the log ${'absent' in place ? `only: ${place.absent}` : `and the ledger (contract ${place.contract})`}`
  }
  yield report.sound ? '✓ nothing contradicts the city' : '✗ something is wrong'
}

/** A quorum of witnesses that the log chose itself must not look like one of the auditor's. */
function judgedBy({ key, witnesses }: FsckReport['trust']): string {
  if (key === null) return 'nobody’s word; say whom you trust with --policy or --vkey'
  if (witnesses === key)
    return key === 'the auditor’s' ? `${key} word` : `${key} word; say whom you trust with --policy or --vkey`
  return `${key} word for the key, ${witnesses ?? 'nobody’s'} for the witnesses; say which you trust with --policy`
}

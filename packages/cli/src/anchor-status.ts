import { parseArgs } from 'node:util'
import type { City } from '@tillit/client'
import { toHex } from '@tillit/codec'
import { isProblem, Problem } from '@tillit/problem'
import { LedgerStatus } from '@tillit/schemas'
import { type Static, Type } from 'typebox'
import { Check } from 'typebox/value'
import { cityAt } from './city-at.ts'
import { wrongCall } from './usage-error.ts'

export const anchorUsage = `tillit anchor status [--city URL] [--ledger URL] [--contract 0x…] [--within SECONDS] [--json]
  Shows how far the ledger holds a city's log, as the city says and as the ledger itself says. Exit
  status 1 when the two contradict each other, or when entries have waited for their anchor too long.
  --city      the city's URL (http://127.0.0.1:8080)
  --ledger    JSON-RPC URL of a node of yours; without it the city is asked for one
  --contract  the anchor contract as you know it; without it the city's word is taken
  --within    how long entries may wait (600 seconds)
  --json      the report as one object for programs`

const withinSeconds = '600'

/** Without what is not looked at here, and open: a city of a version before or after this one says less, or more. */
const StatusRead = Type.Object(Type.Omit(LedgerStatus, ['log_vkeys']).properties)
type StatusRead = Static<typeof StatusRead>

/** What was found, for people and for programs. */
interface AnchorReport {
  readonly status: StatusRead
  /** What the ledger itself was asked: it agrees, it contradicts (see faults), or why it was not asked. */
  readonly ledger: { readonly asked: true; readonly size: number } | { readonly asked: false; readonly why: string }
  readonly unanchoredSeconds: number
  readonly faults: readonly string[]
}

export async function anchorStatus(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      city: { type: 'string', default: 'http://127.0.0.1:8080' },
      ledger: { type: 'string' },
      contract: { type: 'string' },
      within: { type: 'string', default: withinSeconds },
      json: { type: 'boolean', default: false },
    },
  })
  const within = Number(values.within)
  if (positionals.join(' ') !== 'status') throw wrongCall('tillit anchor has one command: status.', anchorUsage)
  if (!(within >= 0)) throw wrongCall('--within takes a number of seconds.', anchorUsage)
  const city = cityAt(values.city)
  const report = await examine(city, { rpcUrl: values.ledger, contract: values.contract, withinSeconds: within })
  if (values.json) console.log(JSON.stringify(report))
  // What the city says is free text in places; a terminal gets no control characters of it.
  else for (const line of await describe(report)) console.log(line.replaceAll(/\p{Cc}/gu, ' '))
  return report.faults.length === 0 ? 0 : 1
}

interface Trusted {
  rpcUrl: string | undefined
  contract: string | undefined
  withinSeconds: number
}

async function examine(city: City, trusted: Trusted): Promise<AnchorReport> {
  const status = await readStatus(city)
  const faults: string[] = []
  if (trusted.contract !== undefined && status.contract?.toLowerCase() !== trusted.contract.toLowerCase())
    faults.push(`the city anchors in another contract (${status.contract}) than the one that is trusted`)
  const { unanchored } = status
  const unanchoredSeconds = unanchored === null ? 0 : secondsSince(unanchored.since)
  if (unanchored !== null && unanchoredSeconds > trusted.withinSeconds)
    faults.push(`${unanchored.entries} entries have waited for their anchor for ${inWords(unanchoredSeconds)}`)
  const ledger = await askLedger(city, status, { trusted, faults })
  return { status, ledger, unanchoredSeconds, faults }
}

/** Compares the city's word with the ledger's. What contradicts is added to the faults. */
async function askLedger(
  city: City,
  status: StatusRead,
  { trusted, faults }: { trusted: Trusted; faults: string[] },
): Promise<AnchorReport['ledger']> {
  const rpcUrl = trusted.rpcUrl ?? status.rpc_url
  const contract = trusted.contract ?? status.contract
  if (contract === null) return { asked: false, why: 'the city names no contract' }
  if (rpcUrl === null) return { asked: false, why: 'the city names no node; give one with --ledger' }
  // Loaded only here: it takes longer than most commands run.
  const { readAnchor, readAnchorContract } = await import('@tillit/ledger/read')
  try {
    const held = await readAnchorContract({ rpcUrl, contract })
    faults.push(...contradictions(status, held))
    // Asked again, as the city may have published and anchored in between: what is anchored was published before.
    const shown = (await readStatus(city)).latest_checkpoint?.size ?? 0
    const size = held.latest?.size ?? 0
    if (size > shown) faults.push(`the ledger holds a log of ${size} entries, and the city shows ${shown}`)
    const { last_anchor: claimed } = status
    if (claimed !== null) {
      const found = await readAnchor({ rpcUrl, contract, anchor: { transaction: claimed.transaction } })
      if (found.size !== claimed.size || toHex(found.root) !== claimed.root)
        faults.push(`the ledger holds another head than the city shows in transaction ${claimed.transaction}`)
    }
    return { asked: true, size }
  } catch (error) {
    // A contradiction is a finding; a ledger that is out of reach is told, and says nothing against the city.
    if (isProblem(error, 'anchor-mismatch')) faults.push(error.message)
    else if (!isProblem(error, 'ledger-unavailable')) throw error
    return { asked: false, why: error.message }
  }
}

interface Held {
  chainId: number
  anchorer: string
  latest: { size: number; root: Uint8Array } | null
}

function contradictions(status: StatusRead, { chainId, anchorer, latest }: Held): string[] {
  const found: string[] = []
  const checkpoint = status.latest_checkpoint
  if (status.chain_id !== null && status.chain_id !== chainId)
    found.push(`the city anchors on chain ${status.chain_id}, and the node serves chain ${chainId}`)
  if (status.anchorer !== null && status.anchorer.toLowerCase() !== anchorer.toLowerCase())
    found.push(`the city anchors as ${status.anchorer}, and the contract takes heads from ${anchorer}`)
  const size = latest?.size ?? 0
  if (size < (status.last_anchor?.size ?? 0))
    found.push(`the ledger holds a log of ${size} entries, and the city says ${status.last_anchor?.size}`)
  if (latest !== null && size === checkpoint?.size && toHex(latest.root) !== checkpoint.root)
    found.push(`the ledger holds another root of ${size} entries than the city shows`)
  return found
}

async function describe({ status, ledger, unanchoredSeconds, faults }: AnchorReport): Promise<string[]> {
  const { latest_checkpoint: checkpoint, last_anchor: anchor, unanchored } = status
  const lines = [
    checkpoint === null
      ? '  published    nothing yet'
      : `  published    ${checkpoint.size} entries at ${checkpoint.published_at}`,
    anchor === null ? '  anchored     nothing yet' : `  anchored     ${anchor.size} entries at ${anchor.anchored_at}`,
  ]
  if (anchor !== null) lines.push(`  transaction  ${anchor.transaction} in block ${anchor.block_number}`)
  if (status.last_anchor_url !== null) lines.push(`               ${status.last_anchor_url}`)
  if (unanchored !== null)
    lines.push(`  waiting      ${unanchored.entries} entries unanchored for ${inWords(unanchoredSeconds)}`)
  lines.push(...(await describeLedger(status)))
  if (status.self_witnessed)
    lines.push('  witnesses    self-witnessed: no independent witness has to cosign what is anchored')
  if (!ledger.asked) lines.push(`… the ledger itself was not asked: ${ledger.why}`)
  else if (faults.length === 0)
    lines.push(`✓ the ledger itself holds a log of ${ledger.size} entries, as the city says`)
  if (status.publishing_fault !== null)
    lines.push(
      `✗ the city publishes nothing new (${status.signed_size} entries are signed): ${status.publishing_fault}`,
    )
  if (status.fault !== null) lines.push(`✗ the city does not anchor: ${status.fault}`)
  return [...lines, ...faults.map((fault) => `✗ ${fault}`)]
}

async function describeLedger(status: StatusRead): Promise<string[]> {
  if (status.kind === 'none') return ['  ledger       the city has none']
  const { formatCoins } = await import('@tillit/ledger/read')
  const { last_anchor_cost: cost, max_fee_wei: cap, confirmations } = status
  const coins = (wei: string) => `${formatCoins(BigInt(wei))} ${status.coin ?? ''}`.trim()
  const limit = cap === null ? 'any price' : `${coins(cap)} at most`
  const blocks = `${confirmations ?? 'unknown'} ${confirmations === 1 ? 'block' : 'blocks'}`
  const lines = [
    `  ledger       ${status.chain_name ?? 'unknown chain'}, chain id ${status.chain_id}`,
    `  contract     ${status.contract}`,
    `  anchorer     ${status.anchorer ?? 'unknown'}`,
    `  an anchor    counts after ${blocks}, may cost ${limit}`,
  ]
  if (cost !== null) lines.push(`               the newest cost ${coins(cost.fee_wei)} (${cost.gas_used} gas)`)
  return lines
}

async function readStatus(city: City): Promise<StatusRead> {
  const status = await city.get('/registry/ledger')
  if (!Check(StatusRead, status))
    throw new Problem('invalid-request', {
      detail: 'The city does not say how its log is anchored as this tillit expects; is it of another version?',
    })
  return status
}

function secondsSince(instant: string): number {
  return Math.max(0, Math.round((Date.now() - Date.parse(instant)) / 1000))
}

function inWords(seconds: number): string {
  if (seconds < 120) return `${seconds} s`
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`
}

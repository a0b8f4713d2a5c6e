import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { City } from '@tillit/client'
import { fromUtf8, parseJson, toHex } from '@tillit/codec'
import {
  type LogTrust,
  type VerifiedReceipt,
  verifyReceipt as verifyAgainstLog,
  verifyOpening,
  verifyReceiptText,
} from '@tillit/log'
import { Problem } from '@tillit/problem'
import { type AnchorEvidence, type Opening, Receipt } from '@tillit/schemas'
import { Check } from 'typebox/value'
import { forTerminal, readTrust } from './audit/trust-options.ts'
import { onlyArgument, UsageError } from './usage-error.ts'

export const verifyUsage = `tillit verify RECEIPT [--wait] [--vkey KEY] [--policy FILE] [--contract 0x…] [--ledger URL]
              [--offline] [--json]
  Verifies a receipt: the entry opens its commitment, the log holds the commitment, the ledger holds
  the log. Exit status 3 when the ledger does not hold it yet.
  RECEIPT     the file that the portal or a service gave, or - for standard input; a receipt as
              tlog-proof text needs --vkey or --policy
  --wait      wait until the log is anchored (a few minutes at most)
  --vkey      the log's key as you know it; without it the receipt's word is taken
  --policy    file of the logs and witnesses that you trust (C2SP tlog-policy): its quorum must have
              cosigned
  --contract  the anchor contract as you know it; without it the receipt's word is taken
  --ledger    JSON-RPC URL of a node of yours; without it the city is asked for one
  --offline   ask nobody: log and anchor as far as the receipt itself shows them
  --json      one object for programs`

const proofHeader = 'c2sp.org/tlog-proof@v1\n'

const waitSeconds = 300
const pollSeconds = 1

/** Exit status 0: verified; 1: something does not hold; 3: verified in the log, but the anchor is pending. */
export async function verifyReceipt(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      wait: { type: 'boolean', default: false },
      offline: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      vkey: { type: 'string' },
      policy: { type: 'string' },
      contract: { type: 'string' },
      ledger: { type: 'string' },
    },
  })
  const file = onlyArgument(positionals, { name: 'RECEIPT', usage: verifyUsage })
  const say = values.json ? () => undefined : (line: string) => console.log(line)
  const trust = await readTrust(values)
  const text = await readInput(file)
  if (text.startsWith(proofHeader)) return verifyText(text, { trust, json: values.json, say })
  const given = parseReceipt(file, text)
  verifyOpening(given.opening)
  say(`✓ the entry opens its commitment ${given.opening.commitment}`)
  describe(given, say)
  const city = values.offline ? null : await cityOf(given)
  const receipt = city === null ? given : await newest(city, given, { wait: values.wait, say })
  if (receipt.leaf === null) {
    say('… the log has not taken the entry yet: anchor pending (run again, or with --wait)')
    return report(values.json, { verified: false, anchor: 'pending' }, 3)
  }
  const verified = verifyAgainstLog(receipt, trust)
  say(
    `✓ entry ${verified.index} of the log, in its checkpoint of ${verified.size} entries signed by ${receipt.leaf.log.origin}`,
  )
  if (values.vkey === undefined && trust.policy === undefined)
    say(`  the log's key is taken from the receipt: ${receipt.leaf.log.vkey}`)
  if (verified.cosignedBy !== null) say(cosigners(verified.cosignedBy))
  if (receipt.leaf.log.self_witnessed)
    say('  self-witnessed, as the log says of itself: its own operator runs enough of its witnesses')
  if (verified.anchored === null) {
    say('… anchor pending: the ledger does not hold this checkpoint yet (run again, or with --wait)')
    return report(values.json, { ...verified, verified: true, anchor: 'pending' }, 3)
  }
  if (city === null) {
    say(
      `… the receipt says that the ledger holds it (transaction ${verified.anchored.transaction}); offline, this was not looked up`,
    )
    return report(values.json, { ...verified, verified: true, anchor: 'claimed' }, 0)
  }
  const anchor = await checkLedger(verified, verified.anchored, {
    city,
    rpcUrl: values.ledger,
    contract: values.contract,
  })
  say(
    `✓ anchored: block ${anchor.block_number} of chain ${anchor.chain_id}, transaction ${anchor.transaction}, contract ${anchor.contract}`,
  )
  if (values.contract === undefined)
    say('  the contract is taken from the receipt; name the one you trust with --contract')
  return report(values.json, { ...verified, verified: true, anchor: 'verified' }, 0)
}

function report(json: boolean, result: object, status: number): number {
  if (json) console.log(JSON.stringify(result))
  return status
}

/** A receipt as a text of C2SP tlog-proof: nothing is asked of anybody, so the caller says whom to trust. */
function verifyText(
  text: string,
  { trust, json, say }: { trust: LogTrust; json: boolean; say: (line: string) => void },
): number {
  const { vkey, policy } = trust
  if (vkey === undefined && policy === undefined)
    throw new UsageError('A tlog-proof does not say whom to trust: give --vkey or --policy.')
  const byPolicy = policy === undefined ? null : verifyReceiptText(text, { policy })
  const verified = vkey === undefined ? byPolicy : { ...verifyReceiptText(text, { vkey }), ...byPolicy }
  if (verified === null) throw new UsageError(verifyUsage)
  say(`✓ entry ${verified.index} of the log, in its checkpoint of ${verified.size} entries`)
  if (verified.cosignedBy !== null) say(cosigners(verified.cosignedBy))
  say(kindIn(verified.opening))
  return report(json, { ...verified, verified: true, anchor: 'unknown' }, 0)
}

function cosigners(cosignedBy: NonNullable<VerifiedReceipt['cosignedBy']>): string {
  const names = cosignedBy.map(({ name }) => name)
  return `✓ the quorum of your policy is met, cosigned by ${names.length === 0 ? 'nobody' : names.join(', ')}`
}

async function readInput(file: string): Promise<string> {
  return fromUtf8(file === '-' ? await standardInput() : await readFile(file).catch((cause) => unreadable(file, cause)))
}

function parseReceipt(file: string, text: string): Receipt {
  const value = parseJson(text)
  if (!Check(Receipt, value)) throw new Problem('invalid-receipt', { detail: `${file} is not a receipt` })
  return value
}

function unreadable(file: string, cause: unknown): never {
  throw new UsageError(`${file} cannot be read.`, { cause })
}

async function standardInput(): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** The kind is told by whoever made the receipt: the commitment is of the entry alone. */
function kindIn({ kind }: Opening): string {
  return `  kind ${kind}, as the receipt says; the commitment does not cover it`
}

function describe({ opening }: Receipt, say: (line: string) => void): void {
  say(kindIn(opening))
  if (opening.kind !== 'access-record') return
  const { at, caller_name: caller, decision, values, granularity } = opening.entry
  // An entry that is only called an access record may hold anything.
  if (![at, caller, decision].every((text) => typeof text === 'string') || typeof values !== 'number') return
  say(forTerminal(`  ${at}: ${caller}, ${decision}, ${values} values at ${granularity ?? 'no granularity'}`))
}

/** Loaded only here: whoever asks nobody does not wait for it. */
async function cityOf(receipt: Receipt): Promise<City> {
  const { cityAt } = await import('./city-at.ts')
  return cityAt(receipt.city)
}

/** The newest proof that the city has; waits for an anchored one when asked to. */
async function newest(
  city: City,
  given: Receipt,
  { wait, say }: { wait: boolean; say: (line: string) => void },
): Promise<Receipt> {
  const { completeReceipt } = await import('@tillit/client')
  for (let waited = 0; ; waited += pollSeconds) {
    const receipt = given.leaf?.anchor ? given : await completeReceipt(city, given.opening)
    if (!wait || receipt.leaf?.anchor || waited >= waitSeconds) return receipt
    if (waited === 0) say('… anchor pending: waiting for the ledger')
    await delay(pollSeconds * 1000)
  }
}

/** Looks the anchor up on the ledger itself. Throws Problem anchor-mismatch when it says otherwise. */
async function checkLedger(
  verified: VerifiedReceipt,
  claimed: AnchorEvidence,
  { city, rpcUrl, contract }: { city: City; rpcUrl: string | undefined; contract: string | undefined },
): Promise<AnchorEvidence> {
  if (contract !== undefined && contract.toLowerCase() !== claimed.contract.toLowerCase()) {
    throw new Problem('anchor-mismatch', { detail: 'The receipt names another contract than the one that is trusted' })
  }
  const url = rpcUrl ?? (await city.get<{ rpc_url: string | null }>('/registry/ledger')).rpc_url
  if (url === null)
    throw new Problem('ledger-unavailable', { detail: 'The city names no ledger node; give one with --ledger' })
  // Most commands need no ledger, and its library takes longer to load than they take to run.
  const { readAnchor } = await import('@tillit/ledger/read')
  const found = await readAnchor({
    rpcUrl: url,
    contract: claimed.contract,
    anchor: { transaction: claimed.transaction },
  })
  if (found.size !== verified.size || toHex(found.root) !== verified.root || found.chainId !== claimed.chain_id) {
    throw new Problem('anchor-mismatch', { detail: 'The ledger holds another root than the receipt shows' })
  }
  return claimed
}

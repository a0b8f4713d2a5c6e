import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type KeyInfo, rewrapKeyStore, storeKeyFile } from '@tillit/key-store'
import { accountAddress } from '@tillit/ledger'
import { isProblem, Problem } from '@tillit/problem'
import { lockCity } from './city-lock.ts'
import { type Config, readConfig } from './config.ts'
import { explainFault } from './explain-fault.ts'
import { openCityIdentity } from './identities.ts'
import { keysFolder, openKeys, readLine, readPassphrase } from './open-keys.ts'
import { accountKey, notRotatable, type RotatableKey, rotatableKeys } from './rotatable-keys.ts'

const usage = `npm run keys -- list                            every version of every key
npm run keys -- rotate NAME [--overlap 24h]     makes the next version of a key; the one before goes on for the overlap
npm run keys -- rewrap --to FILE                encrypts all keys under the passphrase in FILE

NAME is one of ${rotatableKeys.map(({ name }) => name).join(', ')}.
An overlap is a number and s, m, h or d. rotate and rewrap take effect at the next start, and want the city stopped.
It reads the same environment as the city.`

/** Does what the operator asks of the keys of the city; gives what to print. Throws Problem in words for the operator. */
export async function keysCommand(args: readonly string[], config: Config, now = () => new Date()): Promise<string> {
  const { values, positionals } = parse(args)
  const [command, name, ...more] = positionals
  const takesName = command === 'rotate'
  if (more.length > 0 || (name === undefined) === takesName) throw new Problem('invalid-request', { detail: usage })
  if (command === 'list' && Object.keys(values).length === 0) return list(config, now)
  if (takesName && name !== undefined && values.to === undefined)
    return withCityStopped(config, () => rotate(name, values.overlap ?? null, { config, now }))
  if (command === 'rewrap' && values.to !== undefined && values.overlap === undefined) {
    const to = resolve(values.to)
    return withCityStopped(config, () => rewrap(to, config))
  }
  throw new Problem('invalid-request', { detail: usage })
}

async function list(config: Config, now: () => Date): Promise<string> {
  requireKeys(config)
  const keys = await openKeys(config, { now, readOnly: true })
  return (await keys.list()).map(lineOf).join('\n')
}

async function rotate(
  name: string,
  overlap: string | null,
  { config, now }: { config: Config; now: () => Date },
): Promise<string> {
  const key = rotatable(name)
  const overlapSeconds = overlap === null ? key.overlapSeconds : parseOverlap(overlap)
  if (overlapSeconds < key.leastOverlapSeconds)
    throw new Problem('invalid-request', { detail: `The overlap of ${name} is ${key.leastOverlapSeconds} s at least` })
  if (name === accountKey) requireOwnAccount(config)
  const keys = await openKeys(config, { now })
  try {
    const known = (await keys.list()).some((info) => info.name === name)
    if (!known)
      throw new Problem('invalid-request', { detail: `There is no key ${name} yet; start the city once first` })
    if (key.exportable) await keys.privateJwks(name)
    // What an interrupted rotation left is ended first, and the DID follows this one at once, while its old key is there.
    if (key.identity !== null) await bringUpToDate(key.identity)
    await keys.rotate(name, { overlapSeconds })
    if (key.identity !== null) await bringUpToDate(key.identity)
    const lines = (await keys.list()).filter((info) => info.name === name).map(lineOf)
    const account = name === accountKey ? [await accountToPay()] : []
    return [...lines, '', ...account, `${key.effect} This begins when the city is started.`].join('\n')
  } finally {
    await keys.close()
  }

  async function accountToPay(): Promise<string> {
    const [account] = await keys.secp256k1Signers(accountKey)
    return account === undefined ? '' : `Send coins to the new account, ${accountAddress(account)}.`
  }

  async function bringUpToDate(identity: string): Promise<void> {
    if ((await keys.find(`${identity}.identity.json`)) === null)
      throw new Problem('invalid-request', { detail: `There is no ${identity} yet; start the city once first` })
    // Its place is settled, so only the time counts.
    await openCityIdentity(keys, identity, { host: config.didHost, slug: identity, now: now(), exportable: false })
  }
}

/**
 * One that was interrupted has taken the new passphrase already; it is ended by giving it as the present one too. The
 * passphrase of before opens only copies of the folder that are older.
 */
async function rewrap(file: string, config: Config): Promise<string> {
  const newPassphrase = await readLine('--to', file)
  await rewrapKeyStore(keysFolder(config), { passphrase: await readPassphrase(config), newPassphrase })
  return `All keys are encrypted anew. Start the city with KEY_PASSPHRASE_FILE=${file}, and destroy the passphrase of before.`
}

/** A key that the environment gives is not in the store. */
function requireOwnAccount({ ledgerPrivateKey }: Config): void {
  if (ledgerPrivateKey !== null)
    throw new Problem('invalid-request', {
      detail:
        'LEDGER_PRIVATE_KEY gives the account on the ledger: put the next one there, and the present one into LEDGER_FORMER_PRIVATE_KEY',
    })
}

async function withCityStopped(config: Config, step: () => Promise<string>): Promise<string> {
  requireKeys(config)
  const lock = await lockCity(config.dataDir)
  try {
    return await step()
  } finally {
    await lock.release()
  }
}

function requireKeys(config: Config): void {
  if (!existsSync(join(keysFolder(config), storeKeyFile)))
    throw new Problem('invalid-request', {
      detail: `There are no keys in ${keysFolder(config)}; start the city once first`,
    })
}

function rotatable(name: string): RotatableKey {
  const key = rotatableKeys.find((each) => each.name === name)
  if (key !== undefined) return key
  const why = notRotatable[name]
  if (why !== undefined) throw new Problem('invalid-request', { detail: `The key ${name} is not rotated here: ${why}` })
  throw new Problem('invalid-request', {
    detail: `${name} is none of ${rotatableKeys.map((each) => each.name).join(', ')}`,
  })
}

const unitSeconds = { s: 1, m: 60, h: 3600, d: 86_400 } as const

function parseOverlap(text: string): number {
  const [, number, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? []
  if (text === '0') return 0
  if (number === undefined || unit === undefined)
    throw new Problem('invalid-request', { detail: `${text} is no overlap; 24h is one` })
  return Number(number) * unitSeconds[unit as keyof typeof unitSeconds]
}

function lineOf({ name, version, alg, state, created, ends, held }: KeyInfo): string {
  const end = ends === null ? '' : `until ${ends.toISOString()}`
  return [`${name}.${version}`.padEnd(24), alg.padEnd(10), held.padEnd(6), created.toISOString(), state.padEnd(9), end]
    .join('  ')
    .trimEnd()
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: { overlap: { type: 'string' }, to: { type: 'string' } },
      allowPositionals: true,
    })
  } catch (cause) {
    throw new Problem('invalid-request', { detail: usage, cause })
  }
}

async function main(): Promise<void> {
  let config: Config | null = null
  try {
    config = readConfig(process.env)
    process.stdout.write(`${await keysCommand(process.argv.slice(2), config)}\n`)
  } catch (error) {
    // The usage has lines of its own.
    console.error(isProblem(error, 'invalid-request') ? error.message : explainFault(error, config))
    process.exitCode = 1
  }
}

if (import.meta.main) await main()

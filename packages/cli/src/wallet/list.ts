import { parseArgs } from 'node:util'
import { inflateSync } from 'node:zlib'
import { type CredentialDescription, statusFromCity } from '@tillit/client'
import { cityAt } from '../city-at.ts'
import { openWalletFile, walletOptions, walletOptionsUsage } from './wallet-file.ts'

export const listUsage = `tillit wallet list [--status] [--store FILE] [--city URL] [--json]
  What is in the wallet: type, issuer, expiry, claims.
  --status    ask --city for the status of each too; the city then sees which lists are read
${walletOptionsUsage}`

export const collectUsage = `tillit wallet collect [--store FILE] [--identity FILE] [--city URL] [--json]
  Asks for credentials that were promised, when their time has come.
${walletOptionsUsage}`

export async function list(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { ...walletOptions, status: { type: 'boolean', default: false } } })
  const wallet = await openWalletFile(values)
  const inflate = (bytes: Uint8Array, maxBytes: number) =>
    new Uint8Array(inflateSync(bytes, { maxOutputLength: maxBytes }))
  const readStatus = statusFromCity(cityAt(values.city), { inflate, now: () => new Date() })
  printCredentials(await wallet.list(values.status ? { readStatus } : {}), values)
  return 0
}

export async function collect(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: walletOptions })
  const wallet = await openWalletFile(values)
  const { credentials, deferred } = await wallet.collect()
  const ids = new Set(credentials.map(({ id }) => id))
  printCredentials(
    (await wallet.list()).filter(({ held }) => ids.has(held.id)),
    values,
  )
  for (const { configurationId, askAfter } of deferred)
    console.error(`${configurationId} is not there yet: ask again from ${askAfter} on.`)
  return 0
}

export function printCredentials(credentials: readonly CredentialDescription[], { json }: { json: boolean }): void {
  if (json) {
    const shown = credentials.map(({ held, type, issuer, issuedAt, expires, status, claims }) => ({
      ...{ id: held.id, type, issuer, issued_at: issuedAt, expires, status, claims, credential: held.credential },
    }))
    console.log(JSON.stringify(shown, null, 2))
    return
  }
  if (credentials.length === 0) console.error('The wallet has no such credential.')
  for (const credential of credentials) console.log(describe(credential))
}

/** Claims that belong to the form of a credential, not to what it says. */
const formal = new Set(['iss', 'iat', 'nbf', 'exp', 'vct', 'vct#integrity', 'cnf', 'status', 'jti', 'sub'])

function describe({ held, type, issuer, expires, status, claims, disclosable }: CredentialDescription): string {
  const facts = Object.entries(claims)
    .filter(([name]) => !formal.has(name))
    .map(([name, value]) => [
      name,
      `${typeof value === 'string' ? value : JSON.stringify(value)}${disclosable.includes(name) ? '  (shown only when asked for)' : ''}`,
    ])
  const lines = [
    ['issuer', issuer],
    ['expires', expires === null ? 'never' : expires.toISOString()],
    ['status', status],
    ['id', held.id],
    ...facts,
  ]
  const width = Math.max(...lines.map(([name = '']) => name.length))
  return [type, ...lines.map(([name = '', value = '']) => `  ${name.padEnd(width)}  ${value}`)].join('\n')
}

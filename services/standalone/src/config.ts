import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Problem } from '@tillit/problem'

const checkout = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))))

export interface Config {
  environment: 'development' | 'production'
  host: string
  port: number
  /** Where clients reach the city; issuer of tokens and base of every URL in metadata. */
  publicUrl: string
  /** Host of the DIDs registered here: `example.com`, or with a port `localhost:8080`. */
  didHost: string
  /** Foreign hosts whose did:web and did:webvh documents are fetched. */
  didForeignHosts: string[]
  dataDir: string
  /** Null: the embedded PostgreSQL. */
  databaseUrl: string | null
  /** Null: the embedded ledger. */
  ledgerRpcUrl: string | null
  /** Private key of the anchorer on an outside ledger, 0x and 64 hexadecimal digits. */
  ledgerPrivateKey: `0x${string}` | null
  /** Contract on an outside ledger; null: deployed on first start. */
  ledgerContract: `0x${string}` | null
  anchorIntervalSeconds: number
  /** Who the trust registrar of this city is. */
  registrar: { legalName: string; registrationNumber: string; country: string }
  /** Whether the demonstration city is made once. */
  demonstration: boolean
  logLevel: string
}

/** The ledger's own pace: an anchor more often than this would only cost gas. */
const shortestAnchorIntervalSeconds = 10

/** Reads the environment: the only place that does. Throws Problem invalid-configuration naming the variable. */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const environment = oneOf(env, 'TILLIT_ENVIRONMENT', ['development', 'production'], 'development')
  const host = text(env, 'HOST') ?? '127.0.0.1'
  const port = integer(env, 'PORT', { fallback: 8080, least: 1, most: 65535 })
  const publicUrl =
    url(env, 'PUBLIC_URL', ['http:', 'https:']) ??
    `http://${host === '0.0.0.0' || host === '::' ? 'localhost' : host}:${port}`
  if (environment === 'production' && !publicUrl.startsWith('https:'))
    throw wrong('PUBLIC_URL', 'must be an https URL in production')
  if (environment === 'production' && text(env, 'REGISTRAR_NAME') === null)
    throw wrong('REGISTRAR_NAME', 'names the trust registrar and is needed in production')
  const demonstration = oneOf(env, 'TILLIT_DEMO', ['on', 'off'], environment === 'development' ? 'on' : 'off') === 'on'
  return {
    environment,
    host,
    port,
    publicUrl,
    didHost: text(env, 'DID_HOST') ?? defaultDidHost(publicUrl),
    didForeignHosts: (text(env, 'DID_FOREIGN_HOSTS') ?? '')
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
    dataDir: resolve(text(env, 'DATA_DIR') ?? join(checkout, '.data')),
    databaseUrl: url(env, 'DATABASE_URL', ['postgres:', 'postgresql:']),
    ledgerRpcUrl: url(env, 'LEDGER_RPC_URL', ['http:', 'https:']),
    ledgerPrivateKey: hex(env, 'LEDGER_PRIVATE_KEY', 64),
    ledgerContract: hex(env, 'LEDGER_CONTRACT', 40),
    anchorIntervalSeconds: integer(env, 'ANCHOR_INTERVAL_SECONDS', {
      fallback: demonstration ? shortestAnchorIntervalSeconds : 60,
      least: shortestAnchorIntervalSeconds,
      most: 86_400,
    }),
    registrar: {
      legalName: text(env, 'REGISTRAR_NAME') ?? 'Nordhavn kommune',
      registrationNumber: text(env, 'REGISTRAR_NUMBER') ?? 'NO 900 000 001',
      country: text(env, 'REGISTRAR_COUNTRY') ?? 'NO',
    },
    demonstration,
    logLevel: oneOf(env, 'LOG_LEVEL', ['debug', 'info', 'warn', 'error', 'silent'], 'warn'),
  }
}

/** did:webvh takes no IP addresses, so a city on one is called localhost in its DIDs. */
function defaultDidHost(publicUrl: string): string {
  const { hostname, port } = new URL(publicUrl)
  const name = /^[\d.]+$|^\[/.test(hostname) ? 'localhost' : hostname
  return port === '' ? name : `${name}:${port}`
}

function text(env: NodeJS.ProcessEnv, name: string): string | null {
  const value = env[name]?.trim()
  return value === undefined || value === '' ? null : value
}

function integer(
  env: NodeJS.ProcessEnv,
  name: string,
  { fallback, least, most }: { fallback: number; least: number; most: number },
): number {
  const given = text(env, name)
  if (given === null) return fallback
  const value = Number(given)
  if (!Number.isInteger(value) || value < least || value > most)
    throw wrong(name, `must be a whole number from ${least} to ${most}`)
  return value
}

function oneOf<T extends string>(env: NodeJS.ProcessEnv, name: string, values: readonly T[], fallback: T): T {
  const given = text(env, name) ?? fallback
  const value = values.find((known) => known === given)
  if (value === undefined) throw wrong(name, `must be one of ${values.join(', ')}`)
  return value
}

function url(env: NodeJS.ProcessEnv, name: string, protocols: string[]): string | null {
  const given = text(env, name)
  if (given === null) return null
  // A PostgreSQL URL over a socket has an empty host, which URL does not take.
  if (!protocols.some((protocol) => given.startsWith(`${protocol}//`)))
    throw wrong(name, `must start with ${protocols.join('// or ')}//`)
  if (/^http/.test(given) && !URL.canParse(given)) throw wrong(name, 'must be a URL')
  return given.replace(/\/$/, '')
}

function hex(env: NodeJS.ProcessEnv, name: string, digits: number): `0x${string}` | null {
  const given = text(env, name)
  if (given === null) return null
  if (!new RegExp(`^0x[0-9a-fA-F]{${digits}}$`).test(given))
    throw wrong(name, `must be 0x and ${digits} hexadecimal digits`)
  return given as `0x${string}`
}

function wrong(name: string, why: string): Problem {
  return new Problem('invalid-configuration', { detail: `${name} ${why}` })
}

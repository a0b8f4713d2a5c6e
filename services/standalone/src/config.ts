import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type LedgerChainName, ledgerChains } from '@tillit/ledger'
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
  /** File with the passphrase of the keys; null: a development city keeps its own with its data. */
  keyPassphraseFile: string | null
  /** Where new keys are made; null: in encrypted files. */
  token: { modulePath: string; label: string; pinFile: string } | null
  /** Null: the embedded PostgreSQL. */
  databaseUrl: string | null
  /** The chain that anchors; null: whichever the node serves. */
  ledgerChain: LedgerChainName | null
  /** Null: the public node of the chain, or without a chain the embedded ledger. */
  ledgerRpcUrl: string | null
  /** Private key of the anchorer on an outside ledger, 0x and 64 hexadecimal digits. */
  ledgerPrivateKey: `0x${string}` | null
  /** Private key of the account that anchored before; it hands its role on. */
  ledgerFormerPrivateKey: `0x${string}` | null
  /** Contract on an outside ledger; null: deployed on first start. */
  ledgerContract: `0x${string}` | null
  /** How many blocks an anchor waits for before it counts; null: as many as suit the chain. */
  ledgerConfirmations: number | null
  /** The most that one anchor may cost, in the smallest unit of the coin (10^-18); null: any price. */
  ledgerMaxFeeWei: bigint | null
  anchorIntervalSeconds: number
  /** File with those whose attestations of wallets' keys are taken; null: none are. */
  keyAttestersFile: string | null
  /** File with the certificate by which wallets know this verifier, and its private key; null: by its DID only. */
  verifierCertificateFile: string | null
  /** File with the wallets that may ask for credentials in a browser; null: wallets receive what is offered to them only. */
  walletsFile: string | null
  /** DIDs of issuers of this city that may have credentials signed by W3C VC-API. */
  vcApiIssuers: string[]
  /** File with the policy under which the log publishes (C2SP tlog-policy); null: the city's own witness has to cosign. */
  witnessPolicyFile: string | null
  /** Which witnesses of that policy this city's operator runs. */
  ownWitnesses: string[]
  /** Who the trust registrar of this city is. */
  registrar: { legalName: string; registrationNumber: string; country: string }
  /** Whether the demonstration city is made once. */
  demonstration: boolean
  logLevel: string
}

/** The ledger's own pace: an anchor more often than this would only cost gas. */
const shortestAnchorIntervalSeconds = 10

/** More blocks than any chain that we know needs; an anchor that waits longer than its interval helps nobody. */
const mostConfirmations = 1000

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
  const ownWitnesses = list(env, 'OWN_WITNESSES')
  if (ownWitnesses.length > 0 && text(env, 'WITNESS_POLICY') === null)
    throw wrong('OWN_WITNESSES', 'names witnesses of WITNESS_POLICY, which is not given')
  requireLedgerFor(env, [
    'LEDGER_PRIVATE_KEY',
    'LEDGER_FORMER_PRIVATE_KEY',
    'LEDGER_CONTRACT',
    'LEDGER_CONFIRMATIONS',
    'LEDGER_MAX_FEE',
  ])
  const demonstration = oneOf(env, 'TILLIT_DEMO', ['on', 'off'], environment === 'development' ? 'on' : 'off') === 'on'
  return {
    environment,
    host,
    port,
    publicUrl,
    didHost: text(env, 'DID_HOST') ?? defaultDidHost(publicUrl),
    didForeignHosts: list(env, 'DID_FOREIGN_HOSTS'),
    dataDir: resolve(text(env, 'DATA_DIR') ?? join(checkout, '.data')),
    keyPassphraseFile: passphraseFile(env, environment),
    token: token(env),
    databaseUrl: url(env, 'DATABASE_URL', ['postgres:', 'postgresql:']),
    ledgerChain: chain(env, 'LEDGER_CHAIN'),
    ledgerRpcUrl: url(env, 'LEDGER_RPC_URL', ['http:', 'https:']),
    ledgerPrivateKey: hex(env, 'LEDGER_PRIVATE_KEY', 64),
    ledgerFormerPrivateKey: hex(env, 'LEDGER_FORMER_PRIVATE_KEY', 64),
    ledgerContract: hex(env, 'LEDGER_CONTRACT', 40),
    ledgerConfirmations:
      text(env, 'LEDGER_CONFIRMATIONS') === null
        ? null
        : integer(env, 'LEDGER_CONFIRMATIONS', { fallback: 1, least: 1, most: mostConfirmations }),
    ledgerMaxFeeWei: coins(env, 'LEDGER_MAX_FEE'),
    anchorIntervalSeconds: integer(env, 'ANCHOR_INTERVAL_SECONDS', {
      fallback: demonstration ? shortestAnchorIntervalSeconds : 60,
      least: shortestAnchorIntervalSeconds,
      most: 86_400,
    }),
    keyAttestersFile: path(env, 'KEY_ATTESTERS'),
    verifierCertificateFile: path(env, 'VERIFIER_CERTIFICATE'),
    walletsFile: path(env, 'WALLETS'),
    vcApiIssuers: list(env, 'VC_API_ISSUERS'),
    witnessPolicyFile: path(env, 'WITNESS_POLICY'),
    ownWitnesses,
    registrar: {
      legalName: text(env, 'REGISTRAR_NAME') ?? 'Nordhavn kommune',
      registrationNumber: text(env, 'REGISTRAR_NUMBER') ?? 'NO 900 000 001',
      country: text(env, 'REGISTRAR_COUNTRY') ?? 'NO',
    },
    demonstration,
    logLevel: oneOf(env, 'LOG_LEVEL', ['debug', 'info', 'warn', 'error', 'silent'], 'warn'),
  }
}

/** The file that is named, or the one that systemd hands over (LoadCredential=tillit-key-passphrase:…). */
function passphraseFile(env: NodeJS.ProcessEnv, environment: Config['environment']): string | null {
  const credentials = path(env, 'CREDENTIALS_DIRECTORY')
  const handedOver = credentials === null ? null : join(credentials, 'tillit-key-passphrase')
  const file = path(env, 'KEY_PASSPHRASE_FILE') ?? (handedOver !== null && existsSync(handedOver) ? handedOver : null)
  if (file === null && environment === 'production')
    throw wrong(
      'KEY_PASSPHRASE_FILE',
      'names the file with the passphrase that encrypts the keys and is needed in production; make one with: openssl rand -base64 32',
    )
  return file
}

function token(env: NodeJS.ProcessEnv): Config['token'] {
  if (oneOf(env, 'KEY_STORE', ['files', 'pkcs11'], 'files') === 'files') return null
  const [modulePath, label, pinFile] = [
    path(env, 'PKCS11_MODULE'),
    text(env, 'PKCS11_TOKEN_LABEL'),
    path(env, 'PKCS11_PIN_FILE'),
  ]
  if (modulePath === null) throw wrong('PKCS11_MODULE', 'names the PKCS#11 library and is needed with KEY_STORE=pkcs11')
  if (label === null) throw wrong('PKCS11_TOKEN_LABEL', 'names the token and is needed with KEY_STORE=pkcs11')
  if (pinFile === null)
    throw wrong('PKCS11_PIN_FILE', "names the file with the token's PIN and is needed with KEY_STORE=pkcs11")
  return { modulePath, label, pinFile }
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

function path(env: NodeJS.ProcessEnv, name: string): string | null {
  const given = text(env, name)
  return given === null ? null : resolve(given)
}

/** Names with commas between them. */
function list(env: NodeJS.ProcessEnv, name: string): string[] {
  return (text(env, name) ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
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

/** What is said of an outside ledger would go unheard by the embedded one. */
function requireLedgerFor(env: NodeJS.ProcessEnv, names: string[]): void {
  const idle = names.find((name) => text(env, name) !== null)
  if (idle !== undefined && text(env, 'LEDGER_CHAIN') === null && text(env, 'LEDGER_RPC_URL') === null)
    throw wrong(idle, 'is for an outside ledger: name it with LEDGER_CHAIN or LEDGER_RPC_URL')
}

function chain(env: NodeJS.ProcessEnv, name: string): LedgerChainName | null {
  const given = text(env, name)
  if (given === null) return null
  return oneOf(env, name, Object.keys(ledgerChains) as LedgerChainName[], 'iota-evm')
}

/** An amount of the ledger's coin, such as 0.05, in its smallest unit. */
function coins(env: NodeJS.ProcessEnv, name: string): bigint | null {
  const given = text(env, name)
  if (given === null) return null
  const [, whole = '', fraction = ''] = /^(\d{1,9})(?:\.(\d{1,18}))?$/.exec(given) ?? []
  const wei = BigInt(whole + fraction.padEnd(18, '0'))
  if (whole === '' || wei === 0n) throw wrong(name, 'must be an amount of the coin of the ledger, such as 0.05')
  return wei
}

function wrong(name: string, why: string): Problem {
  return new Problem('invalid-configuration', { detail: `${name} ${why}` })
}

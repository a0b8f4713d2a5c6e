import { join } from 'node:path'
import { fromHex } from '@tillit/codec'
import type { KeyStore } from '@tillit/key-store'
import { type Secp256k1Signer, secp256k1SignerFromPrivateKey } from '@tillit/keys'
import {
  type Anvil,
  accountAddress,
  anvilAccount,
  anvilMissing,
  contractFile,
  type EvmLedgerOptions,
  findAnvil,
  type Ledger,
  ledgerChains,
  openEvmLedger,
  startAnvil,
} from '@tillit/ledger'
import type { Config } from './config.ts'
import { accountKey } from './rotatable-keys.ts'

export interface CityLedger {
  /** Opens the ledger, or says why there is none. */
  open: ((signal: AbortSignal) => Promise<Ledger>) | { absent: string }
  /** Where anyone may read it; null when the only URL that we know may hold a secret. */
  publicRpcUrl: string | null
  /** A chain of this city alone, for development. */
  embedded?: true
  stop(): Promise<void>
}

/** The ledger of LEDGER_CHAIN or LEDGER_RPC_URL, or an embedded chain; a city without any runs unanchored and says so. */
export async function startLedger(
  config: Config,
  keys: KeyStore,
  onEvent: (event: string) => void,
): Promise<CityLedger> {
  if (config.ledgerRpcUrl !== null || config.ledgerChain !== null) return outsideLedger(config, keys, onEvent)
  if (findAnvil() === null) return { open: { absent: anvilMissing }, publicRpcUrl: null, stop: async () => undefined }
  if (config.environment === 'production')
    onEvent(
      'the log is anchored on an embedded chain, which proves nothing to others; set LEDGER_CHAIN or LEDGER_RPC_URL',
    )
  const anvil: Anvil = await startAnvil({ dataDir: join(config.dataDir, 'ledger'), onEvent })
  return {
    open: (signal) => openEvmLedger({ rpcUrl: anvil.rpcUrl, account: anvilAccount(), signal }),
    publicRpcUrl: anvil.rpcUrl,
    embedded: true,
    stop: () => anvil.stop(),
  }
}

function outsideLedger(config: Config, keys: KeyStore, onEvent: (event: string) => void): CityLedger {
  const options: Omit<EvmLedgerOptions, 'account'> = {
    memory: contractFile(join(config.dataDir, 'ledger-contracts.json')),
    ...(config.ledgerChain === null ? {} : { chain: config.ledgerChain }),
    ...(config.ledgerRpcUrl === null ? {} : { rpcUrl: config.ledgerRpcUrl }),
    ...(config.ledgerContract === null ? {} : { contract: config.ledgerContract }),
    ...(config.ledgerConfirmations === null ? {} : { confirmations: config.ledgerConfirmations }),
    ...(config.ledgerMaxFeeWei === null ? {} : { maxFeeWei: config.ledgerMaxFeeWei }),
  }
  const told = new Set<string>()
  const tell = (event: string) => {
    if (!told.has(event)) onEvent(event)
    told.add(event)
  }
  const open = async (signal: AbortSignal): Promise<Ledger> => {
    const { account, formerAccounts } = await accountsOf(config, keys)
    const own = accountAddress(account)
    tell(`the log is anchored by the account ${own}, which pays for it`)
    const ledger = await openEvmLedger({ ...options, account, formerAccounts, signal })
    if (ledger.anchorer !== own)
      tell(`until the account ${own} can pay for an anchor, ${ledger.anchorer} anchors, which did so before`)
    return ledger
  }
  return { open, publicRpcUrl: publicRpcUrlOf(config), stop: async () => undefined }
}

/** Accounts of an outside ledger: the one that anchors, and those that did, which hand their role on to it. */
type Accounts = Required<Pick<EvmLedgerOptions, 'account' | 'formerAccounts'>>

async function accountsOf(config: Config, keys: KeyStore): Promise<Accounts> {
  const { ledgerPrivateKey, ledgerFormerPrivateKey } = config
  const given = ledgerFormerPrivateKey === null ? [] : [accountOfKey(ledgerFormerPrivateKey)]
  if (ledgerPrivateKey !== null) return { account: accountOfKey(ledgerPrivateKey), formerAccounts: given }
  // The first account of a development chain is everyone's.
  if (isDevelopmentChain(config)) return { account: anvilAccount(), formerAccounts: given }
  const [account, ...former] = await keys.secp256k1Signers(accountKey)
  if (account === undefined) throw new Error('a key store makes a key on its first use')
  return { account, formerAccounts: [...former, ...given] }
}

function accountOfKey(privateKey: `0x${string}`): Secp256k1Signer {
  return secp256k1SignerFromPrivateKey(fromHex(privateKey.slice(2)))
}

/** A node's URL often carries a key in its path, so it is not told to others: they are sent to the public one. */
function publicRpcUrlOf(config: Config): string | null {
  if (isDevelopmentChain(config)) return config.ledgerRpcUrl
  return config.ledgerChain === null ? null : ledgerChains[config.ledgerChain].rpcUrl
}

/** A chain without a name on this machine. */
function isDevelopmentChain({ environment, ledgerChain, ledgerRpcUrl }: Config): boolean {
  return environment === 'development' && ledgerChain === null && ledgerRpcUrl !== null && isLoopback(ledgerRpcUrl)
}

function isLoopback(url: string): boolean {
  const { hostname } = new URL(url)
  return hostname === 'localhost' || hostname === '[::1]' || /^127\./.test(hostname)
}

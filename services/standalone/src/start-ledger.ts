import { join } from 'node:path'
import {
  type Anvil,
  anvilMissing,
  anvilPrivateKey,
  findAnvil,
  type Ledger,
  openEvmLedger,
  startAnvil,
} from '@tillit/ledger'
import { Problem } from '@tillit/problem'
import type { Config } from './config.ts'

export interface CityLedger {
  /** Opens the ledger, or says why there is none. */
  open: (() => Promise<Ledger>) | { absent: string }
  /** Where anyone on this machine may read it; null when its URL may hold a secret. */
  publicRpcUrl: string | null
  stop(): Promise<void>
}

/** The ledger of LEDGER_RPC_URL, or an embedded chain; a city without either runs unanchored and says so. */
export async function startLedger(config: Config, onEvent: (event: string) => void): Promise<CityLedger> {
  if (config.ledgerRpcUrl !== null) return outsideLedger(config, config.ledgerRpcUrl)
  if (findAnvil() === null) return { open: { absent: anvilMissing }, publicRpcUrl: null, stop: async () => undefined }
  const anvil: Anvil = await startAnvil({ dataDir: join(config.dataDir, 'ledger'), onEvent })
  return {
    open: () => openEvmLedger({ rpcUrl: anvil.rpcUrl, privateKey: anvilPrivateKey }),
    publicRpcUrl: anvil.rpcUrl,
    stop: () => anvil.stop(),
  }
}

function outsideLedger(config: Config, rpcUrl: string): CityLedger {
  const { ledgerPrivateKey, ledgerContract: contract } = config
  // A development chain on this machine: its first account is everyone's, and its URL no secret.
  const own = config.environment === 'development' && isLoopback(rpcUrl)
  const privateKey = ledgerPrivateKey ?? (own ? anvilPrivateKey : null)
  if (privateKey === null) {
    throw new Problem('invalid-configuration', {
      detail: 'LEDGER_RPC_URL needs LEDGER_PRIVATE_KEY, the key of the account that anchors',
    })
  }
  return {
    open: () => openEvmLedger({ rpcUrl, privateKey, ...(contract === null ? {} : { contract }) }),
    // A node's URL often carries a key in its path, so it is not told to others.
    publicRpcUrl: own ? rpcUrl : null,
    stop: async () => undefined,
  }
}

function isLoopback(url: string): boolean {
  const { hostname } = new URL(url)
  return hostname === 'localhost' || hostname === '[::1]' || /^127\./.test(hostname)
}

import { Problem } from '@tillit/problem'
import {
  BaseError,
  createPublicClient,
  HttpRequestError,
  http,
  type PublicClient,
  RpcRequestError,
  TimeoutError,
} from 'viem'
import { chainOfId, type LedgerChain, type LedgerChainName, ledgerChains } from './ledger-chains.ts'

/** How long one call may take before the ledger counts as unavailable. */
const callTimeoutMs = 10_000
/** A block range full of our events is far below this. */
const maxResponseBytes = 8 * 1024 * 1024

export interface ConnectOptions {
  /** The node; without one, the public node of the named chain. */
  readonly rpcUrl?: string
  /** The chain that the node must serve; any without. */
  readonly chain?: LedgerChainName
  readonly timeoutMs?: number
}

export interface EvmConnection {
  readonly client: PublicClient
  readonly chain: LedgerChain
  readonly rpcUrl: string
}

/**
 * Connects to an EVM chain. Throws Problem ledger-unavailable when its node does not answer, and invalid-configuration
 * when the node serves another chain than the named one.
 */
export async function connectChain({ rpcUrl: given, chain: name, timeoutMs }: ConnectOptions): Promise<EvmConnection> {
  const expected = name === undefined ? null : ledgerChains[name]
  const rpcUrl = given ?? expected?.rpcUrl
  if (rpcUrl === undefined) throw new Problem('invalid-configuration', { detail: 'The ledger has no node to ask' })
  const transport = http(rpcUrl, {
    timeout: timeoutMs ?? callTimeoutMs,
    retryCount: 1,
    maxResponseBodySize: maxResponseBytes,
    fetchOptions: { redirect: 'error' },
  })
  const client: PublicClient = createPublicClient({ transport, cacheTime: 0 })
  const id = await reach(() => client.getChainId())
  if (expected !== null && id !== expected.id) {
    throw new Problem('invalid-configuration', {
      detail: `The node of the ledger serves chain ${id}, and not ${name} (${expected.id})`,
    })
  }
  return { client, chain: chainOfId(id), rpcUrl }
}

/** Runs a call to the chain; whatever fails that is no Problem already becomes Problem ledger-unavailable. */
export async function reach<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    if (error instanceof Problem) throw error
    // Without its cause on purpose: what viem and nodes say may hold the URL, and that may hold an API key.
    throw new Problem('ledger-unavailable', { detail: `The ledger cannot be reached: ${reasonOf(error)}` })
  }
}

/** The node answered and said no: an error object, or an HTTP status. */
export function isRefusal(error: unknown): boolean {
  const refusal = causeOf(error, RpcRequestError)
  if (refusal !== null) return true
  return causeOf(error, HttpRequestError)?.status !== undefined
}

/** What the node said in its error object, to be compared with and never to be shown. */
export function refusalText(error: unknown): string {
  return causeOf(error, RpcRequestError)?.details.toLowerCase() ?? ''
}

function reasonOf(error: unknown): string {
  if (causeOf(error, TimeoutError) !== null) return 'it did not answer in time'
  const refusal = causeOf(error, RpcRequestError)
  if (refusal !== null) return `its node answered with error ${refusal.code}`
  const status = causeOf(error, HttpRequestError)?.status
  if (status !== undefined) return `its node answered with HTTP status ${status}`
  if (causeOf(error, HttpRequestError) !== null) return 'no connection'
  return error instanceof BaseError ? error.name : 'no answer that can be understood'
}

function causeOf<T extends Error>(error: unknown, type: abstract new (...args: never[]) => T): T | null {
  const found = error instanceof BaseError ? error.walk((cause) => cause instanceof type) : null
  return found instanceof type ? found : null
}

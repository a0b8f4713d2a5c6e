import { Problem } from '@tillit/problem'
import { BaseError, createPublicClient, defineChain, http, type PublicClient } from 'viem'

/** How long one call may take before the ledger counts as unavailable. */
export const callTimeoutMs = 10_000

/** Our own chain definition, so that any EVM chain will do: the id is read from the chain itself. */
export async function connectChain(rpcUrl: string, options: { timeoutMs?: number } = {}) {
  const transport = http(rpcUrl, { timeout: options.timeoutMs ?? callTimeoutMs, retryCount: 1 })
  const id = await reach(() => createPublicClient({ transport }).getChainId())
  const chain = defineChain({
    id,
    name: `chain ${id}`,
    nativeCurrency: { name: 'coin', symbol: 'COIN', decimals: 18 },
    rpcUrls: { default: { http: [rpcUrl] } },
  })
  const client: PublicClient = createPublicClient({ chain, transport, pollingInterval: 200, cacheTime: 0 })
  return { chain, transport, client }
}

/** Runs a call to the chain; whatever fails that is no Problem already becomes Problem ledger-unavailable. */
export async function reach<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (cause) {
    if (cause instanceof Problem) throw cause
    // The long message of viem holds the URL, which may hold an API key.
    const why = cause instanceof BaseError ? cause.details || cause.name : 'no answer'
    throw new Problem('ledger-unavailable', { detail: `The ledger cannot be reached: ${why}`, cause })
  }
}

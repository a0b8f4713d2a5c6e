import { readFile } from 'node:fs/promises'
import { Problem } from '@tillit/problem'
import { replaceFile } from './replace-file.ts'

/**
 * Remembers which contract a city anchors in. Without it a contract is looked for among the first and last transactions of
 * the account, which finds neither an old one of a busy account nor one whose anchorer's role was handed on.
 */
export interface ContractMemory {
  recall(chainId: number): Promise<string | null>
  remember(chainId: number, contract: string): Promise<void>
}

/** A memory in a file: addresses by chain id. Throws Problem invalid-configuration when the file is damaged. */
export function contractFile(path: string): ContractMemory {
  return {
    recall: async (chainId) => (await read(path))[chainId] ?? null,
    remember: async (chainId, contract) =>
      replaceFile(path, `${JSON.stringify({ ...(await read(path)), [chainId]: contract }, null, 2)}\n`),
  }
}

async function read(path: string): Promise<Record<string, string>> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '{}'
    throw error
  })
  const contracts = parse(text)
  // Going on without it might deploy a second contract and split the history of the log.
  if (contracts === null)
    throw new Problem('invalid-configuration', {
      detail: `${path} is damaged; delete it and name the contract with LEDGER_CONTRACT`,
    })
  return contracts
}

function parse(text: string): Record<string, string> | null {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null) return null
    const entries = Object.entries(value)
    return entries.every(([, contract]) => /^0x[0-9a-fA-F]{40}$/.test(String(contract)))
      ? Object.fromEntries(entries)
      : null
  } catch {
    return null
  }
}

import { readFile } from 'node:fs/promises'
import { parseJson } from '@tillit/codec'
import { Problem } from '@tillit/problem'

/**
 * What the operator's file says about wallets; the authorization service judges it. Without a file no wallet may ask by itself,
 * and offers are what is left. Throws Problem invalid-configuration.
 */
export async function readWallets(file: string | null): Promise<unknown> {
  if (file === null) return []
  try {
    return parseJson(await readFile(file, 'utf8'))
  } catch (cause) {
    throw new Problem('invalid-configuration', { detail: `WALLETS names ${file}, which cannot be read as JSON`, cause })
  }
}

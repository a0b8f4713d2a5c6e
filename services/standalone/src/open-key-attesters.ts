import { readFile } from 'node:fs/promises'
import { parseJson } from '@tillit/codec'
import { isProblem, Problem } from '@tillit/problem'
import { type KeyAttesters, readKeyAttesters } from '@tillit/service-credentials'

/** Whose attestations of wallets' keys the city takes, from the file that its operator names. Throws Problem invalid-configuration. */
export async function openKeyAttesters(file: string | null): Promise<KeyAttesters | null> {
  if (file === null) return null
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new Problem('invalid-configuration', { detail: `KEY_ATTESTERS names ${file}, which cannot be read`, cause })
  })
  try {
    return readKeyAttesters(parseJson(text))
  } catch (cause) {
    if (!isProblem(cause)) throw cause
    throw new Problem('invalid-configuration', { detail: `KEY_ATTESTERS: ${cause.message}`, cause })
  }
}

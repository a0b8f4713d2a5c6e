import { parseJson } from '@tillit/codec'
import { Problem } from '@tillit/problem'
import type { Proof } from './data-integrity.ts'

/** One item of a `did-witness.json`: what witnesses signed of one version (did:webvh v1.0, "The Witness Proofs File"). */
export interface WitnessProofs {
  readonly versionId: string
  readonly proof: readonly Proof[]
}

/** Largest `did-witness.json` read, in characters: 64 witnesses with two proofs each take less than 64 kB. */
export const maxWitnessFileCharacters = 2 * 1024 * 1024

const maxVersionIdCharacters = 128

/** The items of a `did-witness.json`. Their shape is checked, nothing is verified. Throws Problem invalid-did-log. */
export function parseDidWitnessFile(text: string): WitnessProofs[] {
  if (text.length > maxWitnessFileCharacters) throw refused('The witness file is too long')
  const items = parseOrRefuse(text)
  if (!Array.isArray(items)) throw refused('The witness file is not a list')
  return items.map((item: unknown, index) => {
    if (!isObject(item)) throw refused(`Item ${index} of the witness file is not an object`)
    const { versionId, proof = [] } = item
    if (typeof versionId !== 'string' || versionId.length > maxVersionIdCharacters)
      throw refused(`Item ${index} of the witness file names no version`)
    if (!Array.isArray(proof) || !proof.every(isObject))
      throw refused(`The proofs of item ${index} of the witness file are not a list of objects`)
    return { versionId, proof }
  })
}

/** The text of a `did-witness.json`; items without proofs are left out. */
export function formatDidWitnessFile(items: readonly WitnessProofs[]): string {
  const kept = items.filter(({ proof }) => proof.length > 0)
  return `${JSON.stringify(kept.map(({ versionId, proof }) => ({ versionId, proof })))}\n`
}

function parseOrRefuse(text: string): unknown {
  try {
    return parseJson(text)
  } catch (cause) {
    throw new Problem('invalid-did-log', { detail: 'The witness file is not JSON', cause })
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function refused(detail: string): Problem {
  return new Problem('invalid-did-log', { detail })
}

import type { DidResolution } from '@tillit/did'
import { contradictionOf } from './didwebvh-contradictions.ts'
import { readVectors, resolveVector, type SuiteVector } from './didwebvh-vectors.ts'
import { type Difference, differences } from './didwebvh-verdict.ts'

/** What became of a vector; `no result` says that the suite has a log and nothing to compare with. */
export type Verdict = 'pass' | 'contradiction' | 'no result' | 'FAIL'

export interface JudgedVector {
  readonly name: string
  readonly verdict: Verdict
  readonly because: string
}

/** Judges each vector of a checkout of the suite, as of a time. */
export async function judgeVectors(checkout: string, now: Date): Promise<JudgedVector[]> {
  const judged: JudgedVector[] = []
  for (const vector of readVectors(checkout)) judged.push(await judge(vector, now))
  return judged
}

async function judge(vector: SuiteVector, now: Date): Promise<JudgedVector> {
  const name = `${vector.scenario}/${vector.implementation}/${vector.result}`
  const { expected } = vector
  const resolutions = await resolveVector(vector, now)
  const ours = [...new Set(resolutions.map(outcome))].join('; ')
  if (expected === null) return { name, verdict: 'no result', because: ours }
  const found = [...new Set(resolutions.flatMap((resolution) => differences(resolution, expected)))]
  const listed = contradictionOf(vector)
  if (listed === undefined) {
    if (found.length === 0) return { name, verdict: 'pass', because: ours }
    return { name, verdict: 'FAIL', because: `differs in ${found.join(', ')}: ${ours}` }
  }
  if (sameDifferences(found, listed.differs)) return { name, verdict: 'contradiction', because: listed.reason }
  const because = `listed to differ in ${listed.differs.join(', ')}, differs in ${found.join(', ') || 'nothing'}: ${ours}`
  return { name, verdict: 'FAIL', because }
}

function outcome({ didDocument, didResolutionMetadata: { error, problemDetails } }: DidResolution): string {
  if (error !== undefined) return `${error}: ${problemDetails?.detail}`
  return didDocument === null ? 'resolves to no document' : 'resolves'
}

function sameDifferences(some: readonly Difference[], others: readonly Difference[]): boolean {
  return some.length === others.length && some.every((difference) => others.includes(difference))
}

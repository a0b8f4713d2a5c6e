import type { Difference } from './didwebvh-verdict.ts'

/** Where the public suite expects something else than the specification, and the specification's verdict stands here. */
export interface Contradiction {
  readonly scenarios: readonly string[]
  readonly implementations: readonly string[]
  readonly results: readonly string[]
  /** All that differs: a vector that differs in more, or in less, fails. */
  readonly differs: readonly Difference[]
  readonly reason: string
}

const newest = ['resolutionResult.json']
const older = ['resolutionResult.1.json', 'resolutionResult.2.json']

export const contradictions: readonly Contradiction[] = [
  {
    scenarios: ['deactivate'],
    implementations: ['rust', 'dart', 'java', 'java-eecc'],
    results: newest,
    differs: ['didDocument'],
    reason: 'a deactivated DID resolves to no document (DID Resolution 1.0, section 4.4, step 5)',
  },
  {
    scenarios: ['multi-update'],
    implementations: ['ts', 'dart', 'java', 'java-eecc'],
    results: older,
    differs: ['updated'],
    reason: '`updated` is the time of the last valid entry, whichever version is asked for (did:webvh v1.0, "Read")',
  },
  {
    scenarios: [
      'negative-did-key-body-fragment-mismatch',
      'negative-duplicate-witness-ids',
      'negative-pre-rotation-omit-updatekeys',
      'negative-wrong-cryptosuite',
      'negative-zero-witness-threshold',
    ],
    implementations: ['ts'],
    results: newest,
    differs: ['error'],
    reason:
      'the suite has invalidProof or invalidParameters; what renders a DID invalid is invalidDid (did:webvh v1.0, "Read")',
  },
  {
    scenarios: [
      'basic-create',
      'basic-update',
      'deactivate',
      'key-rotation',
      'multi-update',
      'multiple-update-keys',
      'portable',
      'portable-move',
      'pre-rotation',
      'pre-rotation-consume',
      'services',
      'witness-threshold',
      'witness-update',
    ],
    implementations: ['python'],
    results: [...newest, ...older],
    differs: ['error', 'didDocument'],
    reason: 'a verification method without a controller makes no valid DID document (DID 1.0, section 5.2)',
  },
]

export interface VectorName {
  readonly scenario: string
  readonly implementation: string
  readonly result: string
}

export function contradictionOf({ scenario, implementation, result }: VectorName): Contradiction | undefined {
  return contradictions.find(
    ({ scenarios, implementations, results }) =>
      scenarios.includes(scenario) && implementations.includes(implementation) && results.includes(result),
  )
}

import { cosignerKey, formatCosignerKey } from '@tillit/log'
import type { WitnessKeyPair, WitnessKeys } from './witness-keys.ts'

/**
 * The name of a pair's keys in a policy, where names mean nothing outside of it; these tell the keys of one witness apart. It
 * is the witness's own for the first pair.
 */
export function policyName(name: string, { version }: WitnessKeyPair): string {
  return version === 1 ? name : `${name}/key-${version}`
}

/** The lines of a trust policy (C2SP tlog-policy) that name every key of the witness. */
export function witnessPolicyLines({ name, pairs }: WitnessKeys, url: string | undefined): string[] {
  return pairs.flatMap((pair) =>
    pair.signers.map(({ alg, publicKey }) => {
      const called = alg === 'ML-DSA-44' ? `${policyName(name, pair)}/ml-dsa-44` : policyName(name, pair)
      return ['witness', called, formatCosignerKey(cosignerKey(name, publicKey)), ...(url ? [url] : [])].join(' ')
    }),
  )
}

import { fromUtf8 } from '@tillit/codec'
import {
  type Checkpoint,
  parseCheckpoint,
  parseNote,
  parseTrustPolicy,
  parseVerifierKey,
  type TrustPolicy,
  verifyCheckpoint,
  verifyWithPolicy,
  type WitnessedCheckpoint,
} from '@tillit/log'
import { isProblem } from '@tillit/problem'
import type { CityReader } from './city-reader.ts'
import type { Findings } from './finding.ts'

/** Largest checkpoint and policy read, in bytes. */
export const maxNoteBytes = 256 * 1024
const maxPolicyBytes = 256 * 1024

/** Whom the auditor trusts. With neither, the log is judged by the policy that it publishes itself. */
export interface AuditTrust {
  /** The log's verifier key. */
  readonly vkey?: string
  readonly policy?: TrustPolicy
}

/** The newest checkpoint of a city. Verified as far as no finding says otherwise. */
export interface PublishedHead extends Checkpoint {
  /** The note, as the city gave it. */
  readonly note: string
  readonly cosignedBy: WitnessedCheckpoint['cosignedBy']
}

/** The policy to judge by: the auditor's own, or that which the log says it publishes under; null when there is none. */
export async function policyOf(city: CityReader, trust: AuditTrust, findings: Findings): Promise<TrustPolicy | null> {
  if (trust.policy !== undefined) return trust.policy
  const path = '/log/policy'
  const text = await city.text(path, {
    ...{ maxBytes: maxPolicyBytes, missing: 'policy-missing', malformed: 'policy-malformed' },
    // Whoever knows the log's key can do without.
    optional: trust.vkey !== undefined,
  })
  if (text === null) return null
  try {
    return parseTrustPolicy(text)
  } catch (error) {
    if (!isProblem(error)) throw error
    findings.error('policy-malformed', path, error.message)
    return null
  }
}

/**
 * Reads and verifies the newest checkpoint. Null when there is none that could be read at all; one that is not signed or
 * not witnessed is given too, so that the rest of the log can be looked at.
 */
export async function readHead(
  city: CityReader,
  { trust, policy, findings }: { trust: AuditTrust; policy: TrustPolicy | null; findings: Findings },
): Promise<PublishedHead | null> {
  const path = '/log/checkpoint'
  const body = await city.bytes(path, { maxBytes: maxNoteBytes, missing: 'checkpoint-missing' })
  if (body === null) return null
  let head: { note: string; checkpoint: Checkpoint }
  try {
    const note = fromUtf8(body)
    head = { note, checkpoint: parseCheckpoint(parseNote(note).text) }
  } catch (error) {
    if (!isProblem(error)) throw error
    findings.error('checkpoint-malformed', path, error.message)
    return null
  }
  const { note, checkpoint } = head
  return { ...checkpoint, note, cosignedBy: judge(note, { path, trust, policy, findings }) }
}

function judge(
  note: string,
  parts: { path: string; trust: AuditTrust; policy: TrustPolicy | null; findings: Findings },
): PublishedHead['cosignedBy'] {
  const { path, trust, policy, findings } = parts
  try {
    if (trust.vkey !== undefined) verifyCheckpoint(note, parseVerifierKey(trust.vkey))
    if (policy !== null) return verifyWithPolicy(note, policy).cosignedBy
    if (trust.vkey === undefined)
      findings.error('checkpoint-not-signed', path, 'Neither a key nor a policy is known to judge its signature by')
  } catch (error) {
    if (!isProblem(error)) throw error
    const code = error.code === 'checkpoint-not-witnessed' ? 'checkpoint-not-witnessed' : 'checkpoint-not-signed'
    findings.error(code, path, error.message)
  }
  return []
}

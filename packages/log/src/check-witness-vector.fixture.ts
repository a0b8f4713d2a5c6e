import { fromHex } from '@tillit/codec'
import { expect } from 'vitest'
import { formatAddCheckpoint, parseAddCheckpoint } from './add-checkpoint.ts'
import { verifyCosignature } from './cosignature.ts'
import { formatCosignerKey, parseCosignerKey } from './cosigner-key.ts'
import { judgeCheckpoint } from './judge-checkpoint.ts'
import { formatTrustPolicy, parseTrustPolicy } from './trust-policy.ts'
import { parseVerifierKey } from './verifier-key.ts'
import { verifyWithPolicy } from './verify-with-policy.ts'

/** Vectors about witnesses: cosignatures, trust policies, and what a witness answers. */
export type WitnessVector =
  | { kind: 'cosigner-key'; vkey: string; name: string; type: string }
  /** `timestamp_seconds` null: the note has no cosignature by the key. */
  | { kind: 'cosignature'; vkey: string; note: string; timestamp_seconds: number | null }
  | {
      kind: 'trust-policy'
      policy: string
      logs: { name: string; url: string | null }[]
      witnesses: { name: string; type: string; url: string | null }[]
      groups: { name: string; threshold: number; members: string[] }[]
      quorum: string
    }
  | { kind: 'policy-checkpoint'; policy: string; note: string; size: number; cosigned_by: string[] }
  | { kind: 'add-checkpoint'; body: string; old_size: number; hashes: number; origin: string; size: number }
  | {
      kind: 'witness-verdict'
      /** Keys of the log that the witness trusts; null when it does not know the origin. */
      vkeys: string[] | null
      latest: { size: number; root: string } | null
      body: string
      status: number
      /** With status 409: the size that the witness answers; absent when it answers none. */
      size?: number
    }

export function checkWitnessVector(vector: WitnessVector): void {
  switch (vector.kind) {
    case 'cosigner-key': {
      const key = parseCosignerKey(vector.vkey)
      expect({ name: key.name, type: key.type }).toEqual({ name: vector.name, type: vector.type })
      expect(formatCosignerKey(key)).toBe(vector.vkey)
      return
    }
    case 'cosignature':
      expect(verifyCosignature(vector.note, parseCosignerKey(vector.vkey))?.timestampSeconds ?? null).toBe(
        vector.timestamp_seconds,
      )
      return
    case 'trust-policy': {
      const policy = parseTrustPolicy(vector.policy)
      expect(policy.logs.map(({ key, url }) => ({ name: key.name, url }))).toEqual(vector.logs)
      expect(policy.witnesses.map(({ name, key, url }) => ({ name, type: key.type, url }))).toEqual(vector.witnesses)
      expect(policy.groups).toEqual(vector.groups)
      expect(policy.quorum).toBe(vector.quorum)
      expect(parseTrustPolicy(formatTrustPolicy(policy))).toEqual(policy)
      return
    }
    case 'policy-checkpoint': {
      const { checkpoint, cosignedBy } = verifyWithPolicy(vector.note, parseTrustPolicy(vector.policy))
      expect(checkpoint.size).toBe(vector.size)
      expect(cosignedBy.map(({ name }) => name)).toEqual(vector.cosigned_by)
      return
    }
    case 'add-checkpoint': {
      const request = parseAddCheckpoint(vector.body)
      expect({
        oldSize: request.oldSize,
        hashes: request.proof.length,
        origin: request.checkpoint.origin,
        size: request.checkpoint.size,
      }).toEqual({ oldSize: vector.old_size, hashes: vector.hashes, origin: vector.origin, size: vector.size })
      expect(formatAddCheckpoint(request)).toBe(vector.body)
      return
    }
    case 'witness-verdict': {
      const { vkeys, latest } = vector
      const verdict = judgeCheckpoint(parseAddCheckpoint(vector.body), {
        keys: vkeys?.map(parseVerifierKey) ?? null,
        latest: latest === null ? null : { size: latest.size, root: fromHex(latest.root) },
      })
      expect(verdict.status).toBe(vector.status)
      expect(verdict.verdict === 'other-size' ? verdict.size : undefined).toBe(vector.size)
      return
    }
  }
}

import { sha256, utf8 } from '@tillit/codec'
import { type PublicKey, parseJws, verifyJws } from '@tillit/keys'
import { isProblem, Problem } from '@tillit/problem'
import { BatchClaims } from '@tillit/schemas'
import { Errors } from 'typebox/value'
import type { SeriesReading } from './aggregate.ts'
import { unitOf } from './file-units.ts'
import { fromWireReading } from './parsed-reading.ts'

/** `typ` of a device's batch. */
export const batchType = 'tillit-batch+jwt'

/** How far a device's clock may be ahead: a reading that ends later than this after now is refused. */
export const maxFutureMs = 5 * 60_000

export interface VerifiedBatch {
  readonly claims: BatchClaims
  /** The readings of the claims, values in thousandths, sorted by start and not overlapping. */
  readonly readings: readonly SeriesReading[]
}

/**
 * Verifies a device's batch under the device's key: type, signature, shape, then each reading. `nowMs` is the time to
 * compare with. Throws Problem invalid-batch, invalid-signature or invalid-reading (with a pointer to the reading).
 * It does not know the sequence; whoever stores the batch compares `seq` and `prv` with the last one.
 */
export function verifyBatch(jws: string, deviceKey: PublicKey, { nowMs }: { nowMs: number }): VerifiedBatch {
  const claims = checkShape(payloadOf(jws, deviceKey))
  if (claims.unit !== unitOf(claims.product))
    throw invalidBatch(`${claims.product} is given in ${unitOf(claims.product)}`, '/unit')
  return { claims, readings: checkReadings(claims, nowMs) }
}

/** What a batch says before it is verified: who claims to have signed it. Throws Problem invalid-batch. */
export function peekBatchIssuer(jws: string): string {
  const { iss } = asBatchProblem(() => parseJws(jws)).payload
  if (typeof iss !== 'string') throw invalidBatch('The batch names no device', '/iss')
  return iss
}

/** SHA-256 of the batch exactly as sent: 32 bytes, what the next batch names as `prv`. */
export function batchDigest(jws: string): Uint8Array {
  return sha256(utf8(jws))
}

function payloadOf(jws: string, deviceKey: PublicKey): unknown {
  return asBatchProblem(() => verifyJws(jws, deviceKey, { typ: batchType })).payload
}

function checkShape(payload: unknown): BatchClaims {
  const [first] = Errors(BatchClaims, payload)
  if (first) throw invalidBatch(`The batch does not have its shape: ${first.message}`, first.instancePath || '/')
  return payload as BatchClaims
}

function checkReadings(claims: BatchClaims, nowMs: number): SeriesReading[] {
  let lastEndMs = Number.NEGATIVE_INFINITY
  return claims.readings.map((wire, index) => {
    const reading = fromWireReading(wire)
    const endMs = reading.startMs + reading.durationSeconds * 1000
    if (reading.startMs < lastEndMs)
      throw invalidReading('Readings are sorted by start and do not overlap', `/readings/${index}/start`)
    if (endMs > nowMs + maxFutureMs) throw invalidReading('The reading ends in the future', `/readings/${index}/start`)
    if (claims.product.endsWith('_energy') && reading.valueMilli < 0)
      throw invalidReading('Energy is not negative', `/readings/${index}/value`)
    lastEndMs = endMs
    return reading
  })
}

function asBatchProblem<Result>(step: () => Result): Result {
  try {
    return step()
  } catch (cause) {
    if (isProblem(cause, 'invalid-jws')) throw invalidBatch(cause.message, undefined, cause)
    throw cause
  }
}

function invalidBatch(detail: string, pointer?: string, cause?: unknown): Problem {
  return new Problem('invalid-batch', { detail, cause, ...(pointer === undefined ? {} : { pointer }) })
}

function invalidReading(detail: string, pointer: string): Problem {
  return new Problem('invalid-reading', { detail, pointer })
}

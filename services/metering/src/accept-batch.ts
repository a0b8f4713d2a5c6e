import { equalBytes, fromBase64url, toHex } from '@tillit/codec'
import { commit, saltBytes } from '@tillit/log'
import { batchDigest, peekBatchIssuer, type VerifiedBatch, verifyBatch } from '@tillit/metering'
import { isProblem, Problem } from '@tillit/problem'
import type { BatchClaims } from '@tillit/schemas'
import { deviceKeys } from './device-key.ts'
import { mergeReadings } from './merge-readings.ts'
import type { MeteringPorts } from './ports.ts'
import { createStore, type Store, type Stream, transact } from './store.ts'
import type { DeviceBatchRow, DeviceRow } from './tables.ts'

export interface AcceptedBatch {
  device: string
  seq: number
  sha256: string
  stored: number
  duplicates: number
  replay: boolean
}

/**
 * Takes a device's signed batch: authentic, of this device, next in its chain, and in agreement with what is stored, or
 * refused as a whole. The very same batch again is answered as before. Batch, readings and leaf commit together.
 */
export async function acceptBatch(
  ports: MeteringPorts,
  { callerDid, did, jws }: { callerDid: string; did: string; jws: string },
): Promise<AcceptedBatch> {
  if (callerDid !== did || peekBatchIssuer(jws) !== did)
    throw new Problem('foreign-stream', { detail: 'A device sends batches of its own only' })
  requireActive(await createStore(ports.db).findDevice(did))
  const batch = await verifyUnderKeysOf(did, jws, ports)
  const digest = batchDigest(jws)
  return transact(ports.db, async (store) => {
    const device = requireActive(await store.lockDevice(did))
    if (batch.claims.seq <= device.last_seq) return answerKnown(await store.findBatch(did, batch.claims.seq), digest)
    requireNext(batch.claims, device)
    return storeBatch(store, ports, { batch, digest, device })
  })
}

async function storeBatch(
  store: Store,
  { now, randomBytes }: MeteringPorts,
  { batch, digest, device }: { batch: VerifiedBatch; digest: Uint8Array; device: DeviceRow },
): Promise<AcceptedBatch> {
  const { claims, readings } = batch
  const stream: Stream = {
    pointId: device.metering_point_id,
    product: claims.product,
    direction: claims.direction,
  }
  const { stored, duplicates, refused } = await mergeInto(store, stream, readings, `${device.did}#${claims.seq}`)
  const [first] = refused
  // The transaction is rolled back: a batch counts whole or not at all, so the device can send it again once settled.
  if (first) throw new Problem(first.code, { detail: first.detail, pointer: `/readings/${first.index}` })
  const at = now()
  const sha256 = toHex(digest)
  const entry = { device: device.did, seq: claims.seq, sha256, accepted_at: at.toISOString() }
  const salt = randomBytes(saltBytes)
  await store.addBatch({
    ...{ device_did: device.did, seq: claims.seq, sha256: Buffer.from(digest), stored, duplicates, accepted_at: at },
    ...{ entry: JSON.stringify(entry), salt: Buffer.from(salt), commitment: Buffer.from(commit(salt, entry)) },
  })
  await store.updateDevice(device.did, { last_seq: claims.seq, last_sha256: Buffer.from(digest) })
  return { device: device.did, seq: claims.seq, sha256, stored, duplicates, replay: false }
}

/** Merges readings into a stream under the point's lock; nothing refused is stored. */
export async function mergeInto(
  store: Store,
  stream: Stream,
  readings: VerifiedBatch['readings'],
  source: string,
): Promise<{ stored: number; duplicates: number; refused: ReturnType<typeof mergeReadings>['refused'] }> {
  await store.lockPoint(stream.pointId)
  const [first, last] = [readings[0], readings.at(-1)]
  if (!first || !last) return { stored: 0, duplicates: 0, refused: [] }
  const span = { fromMs: first.startMs, toMs: last.startMs + last.durationSeconds * 1000 }
  const merge = mergeReadings(readings, await store.readings(stream, span, { touching: true }))
  const better = [...merge.insert, ...merge.replace]
  await store.putReadings(stream, better, source)
  return { stored: better.length, duplicates: merge.duplicates, refused: merge.refused }
}

/** Where no key fits, those that there are now are asked for once: the DID of a device may live elsewhere and be rotated there. */
async function verifyUnderKeysOf(did: string, jws: string, ports: MeteringPorts): Promise<VerifiedBatch> {
  const verify = async (fresh: boolean) => {
    const keys = await deviceKeys(ports, did, { fresh })
    return verifyUnderAny(
      jws,
      keys.map(({ key }) => key),
      ports.now(),
    )
  }
  try {
    return await verify(false)
  } catch (error) {
    if (!isProblem(error, 'invalid-signature')) throw error
    return verify(true)
  }
}

function verifyUnderAny(jws: string, keys: Parameters<typeof verifyBatch>[1][], now: Date): VerifiedBatch {
  let fault: unknown
  for (const key of keys) {
    try {
      return verifyBatch(jws, key, { nowMs: now.getTime() })
    } catch (error) {
      if (!isProblem(error, 'invalid-signature')) throw error
      fault = error
    }
  }
  throw fault
}

function requireActive(device: DeviceRow | undefined): DeviceRow {
  if (device?.status !== 'ACTIVE') throw new Problem('device-not-active')
  return device
}

function requireNext({ seq, prv }: BatchClaims, { last_seq, last_sha256 }: DeviceRow): void {
  const expected = { expected_seq: last_seq + 1 }
  if (seq !== last_seq + 1)
    throw new Problem('batch-out-of-sequence', { detail: `The next batch is number ${last_seq + 1}`, extra: expected })
  const chained = last_sha256 === null ? prv === null : prv !== null && equalBytes(fromBase64url(prv), last_sha256)
  if (!chained)
    throw new Problem('batch-out-of-sequence', {
      detail: 'The batch does not name the one before it',
      pointer: '/prv',
      extra: expected,
    })
}

function answerKnown(known: Omit<DeviceBatchRow, 'entry'> | undefined, digest: Uint8Array): AcceptedBatch {
  if (!known || !equalBytes(known.sha256, digest))
    throw new Problem('batch-replayed', { detail: 'Another batch with this number was accepted', pointer: '/seq' })
  const { device_did, seq, sha256, stored, duplicates } = known
  return { device: device_did, seq, sha256: toHex(sha256), stored, duplicates, replay: true }
}

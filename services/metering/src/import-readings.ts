import { fromWireReading, type SeriesReading, unitOf } from '@tillit/metering'
import { Problem } from '@tillit/problem'
import type { BatchClaims, Reading } from '@tillit/schemas'
import { mergeInto } from './accept-batch.ts'
import type { MeteringPorts } from './ports.ts'
import { requireOwn, requireUtility } from './require-utility.ts'
import { transact } from './store.ts'

export interface ReadingChunk {
  product: BatchClaims['product']
  direction: BatchClaims['direction']
  unit: string
  readings: Reading[]
}

export interface ImportResult {
  stored: number
  duplicates: number
  refused: { index: number; code: string; detail: string }[]
}

/**
 * Stores a chunk of a file for one of the utility's points. Idempotent: what is stored with the same value counts as a
 * duplicate. A reading that conflicts with a stored one is refused by its index; the others are stored.
 */
export async function importReadings(
  { db, now }: MeteringPorts,
  utilityDid: string,
  pointId: string,
  chunk: ReadingChunk,
): Promise<ImportResult> {
  if (chunk.unit !== unitOf(chunk.product))
    throw new Problem('invalid-reading', {
      detail: `${chunk.product} is given in ${unitOf(chunk.product)}`,
      pointer: '/unit',
    })
  const readings = checkReadings(chunk, now())
  return transact(db, async (store) => {
    await requireUtility(store, utilityDid)
    requireOwn(await store.findPoint(pointId), utilityDid)
    const { product, direction } = chunk
    return mergeInto(store, { pointId, product, direction }, readings, 'import')
  })
}

function checkReadings({ product, readings }: ReadingChunk, now: Date): SeriesReading[] {
  let lastEndMs = Number.NEGATIVE_INFINITY
  return readings.map((wire, index) => {
    const reading = fromWireReading(wire)
    const endMs = reading.startMs + reading.durationSeconds * 1000
    const fault =
      reading.startMs < lastEndMs
        ? 'Readings are sorted by start and do not overlap'
        : endMs > now.getTime()
          ? 'The reading ends in the future'
          : product.endsWith('_energy') && reading.valueMilli < 0
            ? 'Energy is not negative'
            : null
    if (fault !== null) throw new Problem('invalid-reading', { detail: fault, pointer: `/readings/${index}` })
    lastEndMs = endMs
    return reading
  })
}

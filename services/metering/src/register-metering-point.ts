import { encodeId, idBytes } from '@tillit/codec'
import { checkTimeZone, parseGsrn } from '@tillit/metering'
import { Problem } from '@tillit/problem'
import type { MeteringPoint } from '@tillit/schemas'
import type { MeteringPorts } from './ports.ts'
import { requireUtility } from './require-utility.ts'
import { transact } from './store.ts'
import type { MeteringPointRow } from './tables.ts'

/**
 * Registers a metering point for its utility. The same registration again gives the same point; the same number with
 * other data, or by another utility, is a conflict.
 */
export async function registerMeteringPoint(
  { db, now, randomBytes }: MeteringPorts,
  utilityDid: string,
  registration: { gsrn: string; grid_area: string; time_zone: string },
): Promise<MeteringPoint> {
  const gsrn = parseGsrn(registration.gsrn)
  checkTimeZone(registration.time_zone)
  return transact(db, async (store) => {
    await requireUtility(store, utilityDid)
    const row = {
      id: encodeId('mp', randomBytes(idBytes)),
      gsrn,
      grid_area: registration.grid_area,
      time_zone: registration.time_zone,
      utility_did: utilityDid,
      created_at: now(),
    }
    if (await store.addPoint(row)) return meteringPoint(row, true)
    const known = await store.findPointByGsrn(gsrn)
    const same =
      known?.utility_did === utilityDid && known.grid_area === row.grid_area && known.time_zone === row.time_zone
    if (!known || !same)
      throw new Problem('conflict', { detail: 'This metering point is registered with other data', pointer: '/gsrn' })
    return meteringPoint(known, true)
  })
}

/** As sent: the number only to those who know it anyway. */
export function meteringPoint(row: MeteringPointRow, withGsrn: boolean): MeteringPoint {
  return {
    id: row.id,
    ...(withGsrn ? { gsrn: row.gsrn } : {}),
    grid_area: row.grid_area,
    time_zone: row.time_zone,
    utility: row.utility_did,
  }
}

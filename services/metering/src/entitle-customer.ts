import { Problem } from '@tillit/problem'
import type { MeteringPorts } from './ports.ts'
import { requireOwn, requireUtility } from './require-utility.ts'
import { transact } from './store.ts'
import type { EntitlementRow } from './tables.ts'

type Row = Omit<EntitlementRow, 'id'>

export interface EntitlementOfCustomer {
  metering_point: string
  customer: string
  role: 'holder' | 'co-occupant'
  from: string
  to: string | null
}

/**
 * The utility says that a customer holds the point from a time on. The same again changes nothing. A second holder, or a
 * second period of the same customer that overlaps the first, is a conflict: the earlier one has to end before.
 */
export async function entitleCustomer(
  { db }: MeteringPorts,
  utilityDid: string,
  pointId: string,
  registration: { customer: string; role: 'holder' | 'co-occupant'; from: string },
): Promise<EntitlementOfCustomer> {
  return transact(db, async (store) => {
    await requireUtility(store, utilityDid)
    requireOwn(await store.lockPoint(pointId), utilityDid)
    const from = new Date(registration.from)
    const known = await store.entitlementsOf(pointId)
    const open = known.filter(({ valid_to }) => valid_to === null || valid_to > from)
    const same = open.find(
      (one) =>
        one.customer_id === registration.customer &&
        one.role === registration.role &&
        one.valid_from.getTime() === from.getTime(),
    )
    if (same) return entitlement(same)
    if (open.some(({ customer_id }) => customer_id === registration.customer))
      throw new Problem('conflict', { detail: 'The customer is entitled to this point already', pointer: '/from' })
    if (registration.role === 'holder' && open.some(({ role }) => role === 'holder'))
      throw new Problem('conflict', { detail: 'The point has a holder at that time', pointer: '/from' })
    const row = { metering_point_id: pointId, customer_id: registration.customer, role: registration.role }
    return entitlement(await store.addEntitlement({ ...row, valid_from: from, valid_to: null }))
  })
}

/** Ends a customer's entitlement. The same end again changes nothing. */
export async function endEntitlement(
  { db }: MeteringPorts,
  utilityDid: string,
  pointId: string,
  { customer, to }: { customer: string; to: string },
): Promise<EntitlementOfCustomer> {
  return transact(db, async (store) => {
    await requireUtility(store, utilityDid)
    requireOwn(await store.lockPoint(pointId), utilityDid)
    const end = new Date(to)
    const theirs = (await store.entitlementsOf(pointId)).filter(({ customer_id }) => customer_id === customer)
    const ended = theirs.find(({ valid_to }) => valid_to?.getTime() === end.getTime())
    if (ended) return entitlement(ended)
    const open = theirs.find(({ valid_to }) => valid_to === null)
    if (!open) throw new Problem('not-found', { detail: 'The customer has no open entitlement to this point' })
    if (open.valid_from >= end)
      throw new Problem('invalid-interval', { detail: 'An entitlement ends after it began', pointer: '/to' })
    return entitlement(await store.endEntitlement(open.id, end))
  })
}

function entitlement(row: Row): EntitlementOfCustomer {
  return {
    metering_point: row.metering_point_id,
    customer: row.customer_id,
    role: row.role,
    from: row.valid_from.toISOString(),
    to: row.valid_to?.toISOString() ?? null,
  }
}

import type { Caller } from '@tillit/http'
import type { MeteringPoint } from '@tillit/schemas'
import type { MeteringPorts } from './ports.ts'
import { meteringPoint } from './register-metering-point.ts'
import { createStore } from './store.ts'

/**
 * The points that concern the caller: a customer's own (past ones too, for their data stays theirs), a utility's, or
 * those that active permissions lead another organisation to, without their numbers.
 */
export async function listMeteringPoints(
  { db }: MeteringPorts,
  caller: Caller,
  { limit, after }: { limit: number; after: string },
): Promise<{ metering_points: MeteringPoint[]; next?: string }> {
  const store = createStore(db)
  const party = caller.kind === 'organisation' ? await store.findParty(caller.id) : undefined
  const isUtility = party?.status === 'ACTIVE' && party.roles.includes('utility')
  const list =
    caller.kind === 'customer' ? store.pointsOfCustomer : isUtility ? store.pointsOfUtility : store.pointsPermittedTo
  const rows = await list(caller.id, after, limit + 1)
  const withGsrn = caller.kind === 'customer' || isUtility
  const last = rows.length > limit ? rows[limit - 1] : undefined
  return {
    metering_points: rows.slice(0, limit).map((row) => meteringPoint(row, withGsrn)),
    ...(last ? { next: last.id } : {}),
  }
}

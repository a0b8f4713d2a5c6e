import { Problem } from '@tillit/problem'
import type { Store } from './store.ts'
import type { MeteringPointRow } from './tables.ts'

/** Throws Problem party-not-active or role-required unless the organisation is an accredited utility. */
export async function requireUtility(store: Store, did: string): Promise<void> {
  const party = await store.findParty(did)
  if (party?.status !== 'ACTIVE') throw new Problem('party-not-active')
  if (!party.roles.includes('utility')) throw new Problem('role-required', { detail: 'This is for utilities' })
}

/** The point, when it is the utility's own; a foreign one is told apart from none by nobody. */
export function requireOwn(point: MeteringPointRow | undefined, utilityDid: string): MeteringPointRow {
  if (point === undefined || point.utility_did !== utilityDid) throw new Problem('metering-point-not-found')
  return point
}

import type { Caller } from '@tillit/http'
import { Problem } from '@tillit/problem'
import type { PartyRow } from '../tables.ts'
import type { PointRow } from './access-store.ts'
import type { Subject } from './access-world.ts'

/** Everyone may ask about themselves. */
export function isItself(caller: Caller, { type, id }: Subject): boolean {
  return id === caller.id && type === subjectTypes[caller.kind]
}

const subjectTypes = { customer: 'customer', organisation: 'did', device: 'did' } as const

/** The utility of a metering point may ask about anyone there, as long as it is accredited. */
export function isUtilityOf(caller: Caller, point: PointRow | undefined, party: PartyRow | undefined): boolean {
  return point !== undefined && point.utility_did === caller.id && isUtility(caller, party)
}

export function isUtility(caller: Caller, party: PartyRow | undefined): boolean {
  return caller.kind === 'organisation' && party?.status === 'ACTIVE' && party.roles.includes('utility')
}

/** The same words for a foreign metering point and for none. */
export function mayNotAsk(): Problem {
  return new Problem('access-denied', { detail: 'Only the utility of a metering point may ask about others' })
}

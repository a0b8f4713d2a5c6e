import type { ReasonCode } from './decide.ts'
import type { PathExplanation } from './explain-path.ts'

const customerWords: Record<ReasonCode, string> = {
  permitted: 'You allowed this',
  'own-data': 'This is your own data',
  'no-permission': 'Nobody gave the reader permission for this',
  suspended: 'The permission is paused',
  revoked: 'The permission was withdrawn',
  'not-started': 'The permission has not begun yet',
  'not-active': 'The permission is not in force',
  expired: 'The permission has run out',
  'unreadable-permission': 'The permission could not be read, so nothing was released',
  'invalid-request': 'The request was not valid',
  'other-caller': 'The permission is for somebody else',
  resource: 'The permission is for another metering point',
  'delegation-revoked': 'The permission is no longer passed on to the reader',
  'party-not-active': 'The reader is not accredited at the moment',
  'not-accredited': 'The reader is no longer accredited for this purpose',
  action: 'You did not allow this use',
  datatype: 'You did not allow this kind of data',
  product: 'You did not allow this product',
  direction: 'You did not allow this direction of energy',
  delivery: 'You did not allow this way of delivery',
  purpose: 'You did not allow this purpose',
  countries: 'You did not allow the data to go to this country',
  period: 'The time asked for is outside what you allowed',
  'not-theirs-then': 'The metering point belonged to somebody else for some of that time',
  'aggregate-only': 'You allowed sums over many homes only',
  'pseudonymous-only': 'You allowed data without your identity only',
  granularity: 'The detail asked for is finer than you allowed',
}

const readerWords: Partial<Record<ReasonCode, string>> = {
  suspended: 'The permission is paused',
  revoked: 'The permission was withdrawn',
  'not-started': 'The permission has not begun yet',
  expired: 'The permission has run out',
  'delegation-revoked': 'The delegation was taken back',
  'party-not-active': 'A party between the customer and the caller is not accredited at the moment',
  'not-accredited': 'The party is no longer accredited for the purpose of the permission',
  product: 'The permission does not cover this product',
  direction: 'The permission does not cover this direction of energy',
  purpose: 'The permission is not for this purpose',
  countries: 'The permission does not let the data go to the country of every party',
  period: 'The permission does not cover all of this period',
  'not-theirs-then': 'The permission does not cover all of this period',
  'pseudonymous-only': 'The permission is for pseudonymous data, which cannot be released yet',
  granularity: 'The permission does not cover values as fine as this',
}

/** Why a read was refused, in words for the reader: what concerns its own permissions, and nothing of anyone else. */
export function refusalForReader(code: ReasonCode): string {
  return readerWords[code] ?? 'No permission covers this read'
}

/** The reason of a decision: one sentence for the customer, one line with the codes for the operator. No personal data. */
export function reasonFor(code: ReasonCode, path: PathExplanation | null): { customer: string; operator: string } {
  const state = path?.state ? ` in state ${path.state}` : ''
  const version = path?.version == null ? '' : ` version ${path.version}`
  const about = path === null ? 'no path' : `path ${path.path}${version}${state}`
  return { customer: customerWords[code], operator: `${code}: ${about}` }
}

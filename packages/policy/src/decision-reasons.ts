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
  granularity: 'The detail asked for is finer than you allowed',
}

/** The reason of a decision: one sentence for the customer, one line with the codes for the operator. No personal data. */
export function reasonFor(code: ReasonCode, path: PathExplanation | null): { customer: string; operator: string } {
  const state = path?.state ? ` in state ${path.state}` : ''
  const version = path?.version == null ? '' : ` version ${path.version}`
  const about = path === null ? 'no path' : `path ${path.path}${version}${state}`
  return { customer: customerWords[code], operator: `${code}: ${about}` }
}

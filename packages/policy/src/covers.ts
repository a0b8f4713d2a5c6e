import { derivable, type Granularity } from './granularity.ts'
import type { PreparedScope } from './prepare-scope.ts'

/** One thing asked of a scope. `purpose` and `granularity` may be null: any. Times in milliseconds, `to` not included. */
export interface Ask {
  readonly action: string
  readonly datatype: string
  readonly resource: string
  readonly product: string
  readonly direction: string
  readonly delivery: string
  readonly purpose: string | null
  readonly countries: readonly string[]
  readonly from: number
  readonly to: number
  readonly granularity: Granularity | null
}

/** The axes asked, in the order in which they are checked: the finer the question, the later. */
export const askAxes = [
  'resource',
  'action',
  'datatype',
  'product',
  'direction',
  'delivery',
  'purpose',
  'countries',
  'period',
  'granularity',
] as const
export type AskAxis = (typeof askAxes)[number]

/** Whether the scope allows what is asked, on every axis. */
export function covers(scope: PreparedScope, ask: Ask): boolean {
  return firstUncovered(scope, ask) === null
}

/** The first axis on which the scope does not allow what is asked. */
export function firstUncovered(scope: PreparedScope, ask: Ask): AskAxis | null {
  if (!scope.resources.has(ask.resource)) return 'resource'
  if (!scope.actions.has(ask.action)) return 'action'
  if (!scope.datatypes.has(ask.datatype)) return 'datatype'
  if (!scope.products.has(ask.product)) return 'product'
  if (!scope.directions.has(ask.direction)) return 'direction'
  if (!scope.delivery.has(ask.delivery)) return 'delivery'
  if (ask.purpose !== null && !scope.purposes.has(ask.purpose)) return 'purpose'
  if (!ask.countries.every((country) => scope.countries.has(country))) return 'countries'
  // Written so that NaN is outside.
  if (!(scope.from <= ask.from && ask.from < ask.to && ask.to <= scope.to)) return 'period'
  if (ask.granularity !== null && !derivable(ask.granularity, scope.granularity)) return 'granularity'
  return null
}

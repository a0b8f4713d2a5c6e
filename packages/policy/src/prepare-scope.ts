import { type PurposeCatalogue, purposeCatalogue, type Scope } from '@tillit/schemas'
import { type Granularity, parseGranularity } from './granularity.ts'
import { readInstant } from './instant.ts'
import { purposeIncluded } from './purpose-tree.ts'

/** A scope made ready for many decisions: sets as sets, times in milliseconds, purposes with all that they include. */
export interface PreparedScope {
  readonly actions: ReadonlySet<string>
  readonly datatypes: ReadonlySet<string>
  readonly resources: ReadonlySet<string>
  readonly products: ReadonlySet<string>
  readonly directions: ReadonlySet<string>
  readonly delivery: ReadonlySet<string>
  readonly countries: ReadonlySet<string>
  readonly purposes: ReadonlySet<string>
  readonly from: number
  readonly to: number
  readonly expires: number
  readonly granularity: Granularity
  readonly subjectForm: Scope['subject_form']
  readonly legalBasis: string
  readonly deleteAfter: string
  readonly duties: readonly string[]
}

/** Takes a parsed scope. Throws Problem invalid-granularity, or a RangeError on a time that cannot be read. */
export function prepareScope(scope: Scope, catalogue: PurposeCatalogue = purposeCatalogue): PreparedScope {
  const included = catalogue.purposes
    .map(({ code }) => code)
    .filter((code) => scope.purpose.some((choice) => purposeIncluded(code, choice.code, catalogue)))
  return {
    actions: new Set(scope.actions),
    datatypes: new Set(scope.datatypes),
    resources: new Set(scope.resources),
    products: new Set(scope.products),
    directions: new Set(scope.directions),
    delivery: new Set(scope.delivery),
    countries: new Set(scope.countries),
    purposes: new Set([...included, ...scope.purpose.map(({ code }) => code)]),
    from: instant(scope.period.from),
    to: instant(scope.period.to),
    expires: instant(scope.expires),
    granularity: parseGranularity(scope.finest_granularity),
    subjectForm: scope.subject_form,
    legalBasis: scope.legal_basis,
    deleteAfter: scope.delete_after,
    duties: scope.duties ?? [],
  }
}

function instant(text: string): number {
  const milliseconds = readInstant(text)
  if (milliseconds === null) throw new RangeError('a parsed scope holds instants only')
  return milliseconds
}

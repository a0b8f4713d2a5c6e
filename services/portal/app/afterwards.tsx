import type { ScopeDescription } from '@tillit/policy'
import type { Scope } from '@tillit/schemas'
import type { Fact } from './facts.tsx'
import { OrganisationName } from './organisations.tsx'
import { capital } from './words.ts'

/** What becomes of the data: when it is deleted, and to whom it may be passed on, by name. */
export function afterwards(scope: Scope, described: ScopeDescription): Fact[] {
  const { max_depth: depth, recipients } = scope.delegation
  const passedOn: Fact =
    depth === 0 || recipients.length === 0
      ? ['Passed on to others', capital(described.passedOn)]
      : [
          'May be passed on to',
          <ul key="recipients" className="plain">
            {recipients.map((did) => (
              <li key={did}>
                <OrganisationName did={did} />
              </li>
            ))}
          </ul>,
        ]
  return [['Afterwards', capital(described.deletedAfter)], passedOn]
}

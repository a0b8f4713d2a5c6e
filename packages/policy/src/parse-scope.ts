import { Problem, type ProblemCode } from '@tillit/problem'
import { checkerOf, type PurposeCatalogue, purposeCatalogue, Scope } from '@tillit/schemas'
import { Errors } from 'typebox/value'
import { parseGranularity } from './granularity.ts'
import { instantText, readInstant } from './instant.ts'
import { lifeText, parseLife } from './life.ts'
import { canonicalChoices, findPurpose } from './purpose-tree.ts'

const isScope = checkerOf(Scope)

/**
 * Parses a scope from outside into its one canonical form: sets sorted, instants in UTC, `delete_after` canonical, no
 * purpose that another one includes, no empty `duties`. Two scopes that allow the same have the same canonical form.
 * Throws Problem invalid-scope, unknown-purpose, invalid-granularity or invalid-gsrn with a JSON Pointer into the scope.
 */
export function parseScope(value: unknown, options: { catalogue?: PurposeCatalogue; pointer?: string } = {}): Scope {
  const { catalogue = purposeCatalogue, pointer: base = '' } = options
  if (!isScope(value)) throw schemaProblem(value, base)
  const fail = (code: ProblemCode, pointer: string, detail: string): Problem =>
    new Problem(code, { detail, pointer: base + pointer })

  const instant = (text: string, pointer: string): number => {
    const milliseconds = readInstant(text)
    if (milliseconds === null) throw fail('invalid-scope', pointer, 'The time is not an RFC 3339 instant')
    return milliseconds
  }
  const from = instant(value.period.from, '/period/from')
  const to = instant(value.period.to, '/period/to')
  if (from >= to) throw fail('invalid-scope', '/period', 'The period ends before it begins')

  value.resources.forEach((resource, index) => {
    if (resource.startsWith('gsrn:') && !gsrnChecks(resource.slice(5)))
      throw fail('invalid-gsrn', `/resources/${index}`, 'The check digit of the metering point number is wrong')
  })
  value.purpose.forEach(({ code }, index) => {
    if (!findPurpose(code, catalogue))
      throw fail('unknown-purpose', `/purpose/${index}/code`, 'The purpose is not in the catalogue')
  })
  return {
    type: value.type,
    actions: sorted(value.actions),
    datatypes: sorted(value.datatypes),
    resources: sorted(value.resources),
    products: sorted(value.products),
    directions: sorted(value.directions),
    period: { from: instantText(from), to: instantText(to) },
    finest_granularity: parseGranularity(value.finest_granularity, `${base}/finest_granularity`).text,
    subject_form: value.subject_form,
    delivery: sorted(value.delivery),
    purpose: canonicalChoices(value.purpose, catalogue),
    legal_basis: value.legal_basis,
    eprivacy_basis: value.eprivacy_basis,
    expires: instantText(instant(value.expires, '/expires')),
    delete_after: lifeText(parseLife(value.delete_after, `${base}/delete_after`)),
    delegation: { max_depth: value.delegation.max_depth, recipients: sorted(value.delegation.recipients) },
    countries: sorted(value.countries),
    ...(value.duties === undefined || value.duties.length === 0 ? {} : { duties: sorted(value.duties) }),
    data_need: value.data_need,
  }
}

/** The GS1 check digit: digits from the right weigh 3 and 1 in turn (GS1 General Specifications section 7.9). */
export function gsrnChecks(gsrn: string): boolean {
  let sum = 0
  for (let i = 0; i < 17; i++) sum += Number(gsrn.charAt(i)) * (i % 2 === 0 ? 3 : 1)
  return (10 - (sum % 10)) % 10 === Number(gsrn.charAt(17))
}

function sorted<T extends string>(values: readonly T[]): T[] {
  return [...values].sort()
}

function schemaProblem(value: unknown, base: string): Problem {
  const errors = Errors(Scope, value)
  const deepest = errors.toSorted((a, b) => b.instancePath.length - a.instancePath.length)[0]
  const missing = errors.find((error) => error.keyword === 'required')
  const error = missing && deepest?.instancePath === '' ? missing : deepest
  return new Problem('invalid-scope', {
    detail: `The scope ${error?.message ?? 'does not match its schema'}`.slice(0, 300),
    pointer: base + (error?.instancePath ?? ''),
  })
}

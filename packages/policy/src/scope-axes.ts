import type { PurposeCatalogue, Scope } from '@tillit/schemas'
import { commonCoarsening, derivable, parseGranularity } from './granularity.ts'
import { readInstant } from './instant.ts'
import { commonLife, lifeText, lifeWithin, parseLife } from './life.ts'
import { canonicalChoices, choiceWithin, commonChoices } from './purpose-tree.ts'

type SetAxis = 'actions' | 'datatypes' | 'resources' | 'products' | 'directions' | 'delivery' | 'countries'

/** One axis of the order of scopes: how it compares, what both allow (null: nothing), and how a person reads it. */
export interface Axis {
  readonly axis: string
  readonly wider: string
  show(scope: Scope): string
  within(a: Scope, b: Scope, catalogue: PurposeCatalogue): boolean
  meet(a: Scope, b: Scope, catalogue: PurposeCatalogue): Partial<Scope> | null
}

const forms = ['aggregate', 'pseudonymous', 'identified'] as const

/** The least protective of two subject forms comes last. */
export function formRank(form: Scope['subject_form']): number {
  return forms.indexOf(form)
}

/** Every axis of a scope. `type` has one value only and needs none. */
export const axes: readonly Axis[] = [
  setAxis('actions', 'does more with the data'),
  setAxis('datatypes', 'covers other kinds of data'),
  setAxis('resources', 'covers other metering points'),
  setAxis('products', 'covers other products'),
  setAxis('directions', 'covers another direction of energy'),
  {
    axis: 'period',
    wider: 'covers another period',
    show: (scope) => `${scope.period.from} to ${scope.period.to}`,
    within: (a, b) =>
      milliseconds(b.period.from) <= milliseconds(a.period.from) &&
      milliseconds(a.period.to) <= milliseconds(b.period.to),
    meet: (a, b) => {
      const from = later(a.period.from, b.period.from)
      const to = earlier(a.period.to, b.period.to)
      return milliseconds(from) < milliseconds(to) ? { period: { from, to } } : null
    },
  },
  {
    axis: 'finest_granularity',
    wider: 'is finer, or cannot be derived exactly',
    show: (scope) => scope.finest_granularity,
    within: (a, b) => derivable(parseGranularity(a.finest_granularity), parseGranularity(b.finest_granularity)),
    meet: (a, b) => {
      const common = commonCoarsening(parseGranularity(a.finest_granularity), parseGranularity(b.finest_granularity))
      return common ? { finest_granularity: common.text } : null
    },
  },
  {
    axis: 'subject_form',
    wider: 'protects the person less',
    show: (scope) => scope.subject_form,
    within: (a, b) => formRank(a.subject_form) <= formRank(b.subject_form),
    meet: (a, b) => ({
      subject_form: formRank(a.subject_form) <= formRank(b.subject_form) ? a.subject_form : b.subject_form,
    }),
  },
  setAxis('delivery', 'is delivered in another way'),
  {
    axis: 'purpose',
    wider: 'serves other purposes',
    show: (scope) => scope.purpose.map(({ code, required }) => (required ? `${code} (required)` : code)).join(', '),
    within: (a, b, catalogue) =>
      a.purpose.every((one) => b.purpose.some((other) => choiceWithin(one, other, catalogue))),
    meet: (a, b, catalogue) => {
      const purpose = commonChoices(
        canonicalChoices(a.purpose, catalogue),
        canonicalChoices(b.purpose, catalogue),
        catalogue,
      )
      return purpose.length === 0 ? null : { purpose }
    },
  },
  equalAxis('legal_basis', 'rests on another legal basis'),
  equalAxis('eprivacy_basis', 'rests on another ePrivacy basis'),
  {
    axis: 'expires',
    wider: 'lasts longer',
    show: (scope) => scope.expires,
    within: (a, b) => milliseconds(a.expires) <= milliseconds(b.expires),
    meet: (a, b) => ({ expires: earlier(a.expires, b.expires) }),
  },
  {
    axis: 'delete_after',
    wider: 'keeps the data longer',
    show: (scope) => scope.delete_after,
    within: (a, b) => lifeWithin(parseLife(a.delete_after), parseLife(b.delete_after)),
    meet: (a, b) => ({ delete_after: lifeText(commonLife(parseLife(a.delete_after), parseLife(b.delete_after))) }),
  },
  {
    axis: 'delegation',
    wider: 'may be passed on further',
    show: ({ delegation }) => `${delegation.max_depth} times, to ${delegation.recipients.join(', ') || 'nobody'}`,
    within: (a, b) =>
      a.delegation.max_depth <= b.delegation.max_depth && subset(a.delegation.recipients, b.delegation.recipients),
    meet: (a, b) => ({
      delegation: {
        max_depth: Math.min(a.delegation.max_depth, b.delegation.max_depth),
        recipients: both(a.delegation.recipients, b.delegation.recipients),
      },
    }),
  },
  setAxis('countries', 'goes to other countries'),
  {
    // Duties bind whoever receives the data, so here more is narrower.
    axis: 'duties',
    wider: 'drops a duty',
    show: (scope) => scope.duties?.join(', ') ?? 'none',
    within: (a, b) => subset(b.duties ?? [], a.duties ?? []),
    meet: (a, b) => {
      const duties = [...new Set([...(a.duties ?? []), ...(b.duties ?? [])])].sort()
      return duties.length === 0 ? {} : { duties }
    },
  },
  {
    // Allows nothing by itself: it says which published need was asked under. "None" is below every need, so that two
    // scopes of different needs still have a meet, and a scope can lose its reference but not take another one.
    axis: 'data_need',
    wider: 'names another data need',
    show: (scope) => scope.data_need ?? 'none',
    within: (a, b) => a.data_need === null || a.data_need === b.data_need,
    meet: (a, b) => ({ data_need: a.data_need === b.data_need ? a.data_need : null }),
  },
]

function setAxis(axis: SetAxis, wider: string): Axis {
  return {
    axis,
    wider,
    show: (scope) => scope[axis].join(', '),
    within: (a, b) => subset(a[axis], b[axis]),
    meet: (a, b) => {
      const common = both(a[axis], b[axis])
      return common.length === 0 ? null : ({ [axis]: common } as Partial<Scope>)
    },
  }
}

function equalAxis(axis: 'legal_basis' | 'eprivacy_basis', wider: string): Axis {
  return {
    axis,
    wider,
    show: (scope) => scope[axis] ?? 'none',
    within: (a, b) => a[axis] === b[axis],
    meet: (a, b) => (a[axis] === b[axis] ? {} : null),
  }
}

function subset(a: readonly string[], b: readonly string[]): boolean {
  if (a.length <= 8) return a.every((value) => b.includes(value))
  const all = new Set(b)
  return a.every((value) => all.has(value))
}

function both(a: readonly string[], b: readonly string[]): string[] {
  const all = new Set(b)
  return a.filter((value) => all.has(value)).sort()
}

function milliseconds(text: string): number {
  // NaN compares false with everything: an instant that cannot be read is within nothing.
  return readInstant(text) ?? Number.NaN
}

function later(a: string, b: string): string {
  return milliseconds(a) >= milliseconds(b) ? a : b
}

function earlier(a: string, b: string): string {
  return milliseconds(a) <= milliseconds(b) ? a : b
}

import { type PurposeCatalogue, purposeCatalogue, type Scope, type Tier } from '@tillit/schemas'
import { type Life, parseLife } from './life.ts'
import { scopeTier } from './purpose-limits.ts'
import { findPurpose } from './purpose-tree.ts'
import { type Locale, wordsOf } from './scope-words.ts'

/** A scope in words for the customer. `detail` says what the data reveals, in the words of its tier. */
export interface ScopeDescription {
  tier: Tier
  what: string
  detail: string
  resolution: string
  period: string
  until: string
  deletedAfter: string
  purposes: { code: string; title: string; description: string; required: boolean }[]
  passedOn: string
}

/** Describes a parsed scope. Dates are those of the time zone (default UTC). */
export function describeScope(
  scope: Scope,
  locale: Locale,
  options: { timeZone?: string; catalogue?: PurposeCatalogue } = {},
): ScopeDescription {
  const { timeZone = 'UTC', catalogue = purposeCatalogue } = options
  const words = wordsOf(locale)
  const date = new Intl.DateTimeFormat(locale === 'en' ? 'en-GB' : locale, { dateStyle: 'long', timeZone })
  const day = (text: string): string => date.format(new Date(text))
  const lastMoment = new Date(new Date(scope.period.to).getTime() - 1)
  const tier = scopeTier(scope)
  const { max_depth, recipients } = scope.delegation
  return {
    tier,
    what: scope.products
      .flatMap((product) =>
        scope.directions.map((direction) => `${words.product[product]}, ${words.direction[direction]}`),
      )
      .join('; '),
    detail: words.tier[tier],
    resolution: words.granularity(scope.finest_granularity),
    period: `${day(scope.period.from)} – ${date.format(lastMoment)}`,
    until: day(scope.expires),
    deletedAfter: deletion(parseLife(scope.delete_after), words),
    purposes: scope.purpose.map(({ code, required }) => {
      const purpose = findPurpose(code, catalogue)
      return { code, title: purpose?.title[locale] ?? code, description: purpose?.description[locale] ?? '', required }
    }),
    passedOn: max_depth === 0 || recipients.length === 0 ? words.notPassedOn : words.passedOn(recipients.join(', ')),
  }
}

function deletion(life: Life, words: ReturnType<typeof wordsOf>): string {
  if (life.count === 0) return words.atOnce
  return words.afterEnd(words.life(life))
}

import { derivable, describeScope, parseGranularity } from '@tillit/policy'
import type { Scope } from '@tillit/schemas'
import { granularityWords } from './words.ts'

/** The steps down that are offered beside what was asked. */
const coarserSteps = ['P1D', 'P1M']

export interface GranularityChoice {
  granularity: string
  label: string
  reveals: string
  asked: boolean
}

/** What was asked and what is coarser, each with what it reveals; none is chosen beforehand. */
export function granularityChoices(scope: Scope): GranularityChoice[] {
  const asked = parseGranularity(scope.finest_granularity)
  const coarser = coarserSteps.filter((step) => step !== asked.text && derivable(parseGranularity(step), asked))
  return [asked.text, ...coarser].map((granularity) => ({
    granularity,
    label: granularityWords(granularity),
    reveals: describeScope({ ...scope, finest_granularity: granularity }, 'en').detail,
    asked: granularity === asked.text,
  }))
}

/** The scope that the customer gives: what was asked, at the chosen granularity, for the chosen purposes. */
export function narrowed(scope: Scope, granularity: string, optionalPurposes: ReadonlySet<string>): Scope {
  return {
    ...scope,
    finest_granularity: granularity,
    purpose: scope.purpose.filter(({ code, required }) => required || optionalPurposes.has(code)),
  }
}

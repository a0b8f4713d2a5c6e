import { Problem } from '@tillit/problem'
import { type Purpose, type PurposeCatalogue, purposeCatalogue, type Scope, type Tier } from '@tillit/schemas'
import { granularityTier, parseGranularity } from './granularity.ts'
import { readInstant } from './instant.ts'
import { addLife, lifeWithin, parseLife } from './life.ts'
import { findPurpose } from './purpose-tree.ts'
import { formRank } from './scope-axes.ts'

const tiers: readonly Tier[] = ['T0', 'T1', 'T2', 'T3', 'T4', 'T5']

/** What a scope reveals: T0 for aggregates, T5 for anything delivered as it happens, else the tier of its granularity. */
export function scopeTier(scope: Scope): Tier {
  if (scope.subject_form === 'aggregate') return 'T0'
  return isLive(scope) ? 'T5' : granularityTier(parseGranularity(scope.finest_granularity))
}

/**
 * Checks a parsed scope against each of its purposes: tier, life from `now`, retention, legal basis, subject form; and that
 * anything near real time has an ePrivacy 5(3) basis. Throws Problem scope-exceeds-purpose naming axis and limit, or
 * unknown-purpose.
 */
export function checkPurposeLimits(
  scope: Scope,
  options: { now: Date; catalogue?: PurposeCatalogue; pointer?: string },
): void {
  const { now, catalogue = purposeCatalogue, pointer: base = '' } = options
  if (isLive(scope) && scope.eprivacy_basis === null) {
    throw exceeds(`${base}/eprivacy_basis`, 'Data in near real time needs a basis under ePrivacy 5(3)')
  }
  for (const choice of scope.purpose) {
    const purpose = findPurpose(choice.code, catalogue)
    if (!purpose) throw new Problem('unknown-purpose', { pointer: `${base}/purpose` })
    checkPurpose(scope, purpose, { now, base })
  }
}

function checkPurpose(scope: Scope, purpose: Purpose, { now, base }: { now: Date; base: string }): void {
  const tier = scopeTier(scope)
  if (tiers.indexOf(tier) > tiers.indexOf(purpose.finest_tier)) {
    const axis =
      tier === 'T5' && purpose.finest_tier !== 'T5' && scope.delivery.includes('stream')
        ? '/delivery'
        : '/finest_granularity'
    throw exceeds(base + axis, `The purpose ${purpose.code} allows tier ${purpose.finest_tier}, and this is ${tier}`)
  }
  if (!purpose.legal_bases.includes(scope.legal_basis)) {
    throw exceeds(`${base}/legal_basis`, `The purpose ${purpose.code} allows ${purpose.legal_bases.join(', ')}`)
  }
  if (formRank(scope.subject_form) > formRank(purpose.subject_form)) {
    throw exceeds(`${base}/subject_form`, `The purpose ${purpose.code} allows ${purpose.subject_form} data at most`)
  }
  if (!lifeWithin(parseLife(scope.delete_after), parseLife(purpose.delete_after))) {
    throw exceeds(
      `${base}/delete_after`,
      `The purpose ${purpose.code} has the data deleted after ${purpose.delete_after}`,
    )
  }
  if (purpose.longest_life === null) return
  const end = addLife(now, parseLife(purpose.longest_life)).getTime()
  if (!((readInstant(scope.expires) ?? Number.NaN) <= end)) {
    throw exceeds(`${base}/expires`, `The purpose ${purpose.code} allows a permission to last ${purpose.longest_life}`)
  }
}

function isLive(scope: Scope): boolean {
  return (
    scope.actions.includes('stream') || scope.delivery.includes('stream') || scope.datatypes.includes('near_real_time')
  )
}

function exceeds(pointer: string, detail: string): Problem {
  return new Problem('scope-exceeds-purpose', { pointer, detail })
}

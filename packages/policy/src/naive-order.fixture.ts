import type { Scope } from '@tillit/schemas'

/**
 * A second, slow and literal reading of the order, written without the code it checks: granularities are compared by
 * cutting sample years into windows, lives by adding them to every day of eight years, purposes by listing descendants.
 */
export function naiveWithin(a: Scope, b: Scope): boolean {
  const inside = (x: readonly string[], y: readonly string[]) => x.filter((value) => !y.includes(value)).length === 0
  const strength = { aggregate: 3, pseudonymous: 2, identified: 1 }
  return (
    inside(a.actions, b.actions) &&
    inside(a.datatypes, b.datatypes) &&
    inside(a.resources, b.resources) &&
    inside(a.products, b.products) &&
    inside(a.directions, b.directions) &&
    inside(a.delivery, b.delivery) &&
    inside(a.countries, b.countries) &&
    inside(b.duties ?? [], a.duties ?? []) &&
    inside(a.delegation.recipients, b.delegation.recipients) &&
    a.delegation.max_depth <= b.delegation.max_depth &&
    Date.parse(a.period.from) >= Date.parse(b.period.from) &&
    Date.parse(a.period.to) <= Date.parse(b.period.to) &&
    Date.parse(a.expires) <= Date.parse(b.expires) &&
    strength[a.subject_form] >= strength[b.subject_form] &&
    a.legal_basis === b.legal_basis &&
    a.eprivacy_basis === b.eprivacy_basis &&
    (a.data_need === null || a.data_need === b.data_need) &&
    naiveDerivable(a.finest_granularity, b.finest_granularity) &&
    naiveLifeWithin(a.delete_after, b.delete_after) &&
    a.purpose.every((one) =>
      b.purpose.some(
        (other) => (descendants[other.code] ?? [other.code]).includes(one.code) && (other.required || !one.required),
      ),
    )
  )
}

const descendants: Record<string, string[]> = {
  'energy-reporting': ['energy-reporting', 'energy-advice', 'efficiency-verification'],
}

/** Every boundary of a coarse window must be a boundary of a fine one. */
export function naiveDerivable(coarse: string, fine: string): boolean {
  const known = derivableCache.get(`${coarse} ${fine}`)
  if (known !== undefined) return known
  const fineBoundaries = boundaries(fine)
  const answer = [...boundaries(coarse)].every((at) => fineBoundaries.has(at))
  derivableCache.set(`${coarse} ${fine}`, answer)
  return answer
}

const derivableCache = new Map<string, boolean>()

/** Window starts in seconds: within two sample days for parts of the day, at midnights of three years for the rest. */
function boundaries(granularity: string): Set<number> {
  const starts = new Set<number>()
  const start = Date.UTC(2023, 0, 1) / 1000
  const firstMonday = Date.UTC(1970, 0, 5) / 1000
  for (let day = 0; day < 1096; day++) {
    const midnight = start + day * 86_400
    const date = new Date(midnight * 1000)
    const weekday = (midnight - firstMonday) / 86_400
    if (granularity.startsWith('PT')) {
      const part = /^PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?$/.exec(granularity)
      const seconds = Number(part?.[1] ?? 0) * 3600 + Number(part?.[2] ?? 0) * 60 + Number(part?.[3] ?? 0)
      const until = day < 2 ? 86_400 : 1
      for (let at = 0; at < until; at += seconds) starts.add(midnight + at)
    } else if (
      granularity === 'P1D' ||
      (granularity === 'P7D' && weekday % 7 === 0) ||
      (granularity === 'P14D' && weekday % 14 === 0) ||
      (granularity === 'P1M' && date.getUTCDate() === 1) ||
      (granularity === 'P1Y' && date.getUTCDate() === 1 && date.getUTCMonth() === 0)
    ) {
      starts.add(midnight)
    }
  }
  return starts
}

export function naiveLifeWithin(a: string, b: string): boolean {
  const known = lifeCache.get(`${a} ${b}`)
  if (known !== undefined) return known
  let answer = true
  for (let day = 0; day < 8 * 366; day++) {
    const start = new Date(Date.UTC(2023, 0, 1 + day))
    if (add(start, a) > add(start, b)) answer = false
  }
  lifeCache.set(`${a} ${b}`, answer)
  return answer
}

const lifeCache = new Map<string, boolean>()

function add(start: Date, life: string): number {
  const [, years, months, days] = /^P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?$/.exec(life) ?? []
  const month = start.getUTCMonth() + Number(months ?? 0) + 12 * Number(years ?? 0)
  const last = new Date(Date.UTC(start.getUTCFullYear(), month + 1, 0)).getUTCDate()
  return Date.UTC(start.getUTCFullYear(), month, Math.min(start.getUTCDate(), last) + Number(days ?? 0))
}

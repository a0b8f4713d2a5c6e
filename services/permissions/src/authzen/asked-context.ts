import { readInstant } from '@tillit/policy'
import { Problem } from '@tillit/problem'

/** Without a period in the context the question is about the last day. */
const defaultPeriodMilliseconds = 86_400_000

/** What a question says beside who, what and which. Other members of the context are ignored. */
export interface AskedContext {
  period: { from: Date; to: Date }
  product: string
  direction: string
  granularity: string | null
  purpose: string | null
}

/** Throws Problem invalid-request on a member of the wrong type. */
export function readContext(context: Record<string, unknown> = {}, now: Date): AskedContext {
  const to = instant(context, 'to') ?? now
  return {
    period: { from: instant(context, 'from') ?? new Date(to.getTime() - defaultPeriodMilliseconds), to },
    product: text(context, 'product') ?? 'active_energy',
    direction: text(context, 'direction') ?? 'consumption',
    granularity: text(context, 'granularity'),
    purpose: text(context, 'purpose'),
  }
}

function text(context: Record<string, unknown>, name: string): string | null {
  const value = context[name]
  if (value === undefined || value === null) return null
  if (typeof value !== 'string') throw wrong(name, 'is not a text')
  return value
}

function instant(context: Record<string, unknown>, name: string): Date | null {
  const value = text(context, name)
  if (value === null) return null
  const milliseconds = readInstant(value)
  if (milliseconds === null) throw wrong(name, 'is not an RFC 3339 instant')
  return new Date(milliseconds)
}

function wrong(name: string, what: string): Problem {
  return new Problem('invalid-request', { detail: `${name} ${what}`, pointer: `/context/${name}` })
}

import { type Scope, scopeType } from '@tillit/schemas'

const dayMilliseconds = 86_400_000

/** What the adviser asks of a household: hourly values of the past year and the months to come, to be passed on once. */
export function adviceScope(gsrn: string, { now, recipients }: { now: Date; recipients: string[] }): Scope {
  const day = Math.floor(now.getTime() / dayMilliseconds) * dayMilliseconds
  const at = (days: number) => new Date(day + days * dayMilliseconds).toISOString()
  return {
    type: scopeType,
    actions: ['read'],
    datatypes: ['validated_history'],
    resources: [`gsrn:${gsrn}`],
    products: ['active_energy'],
    directions: ['consumption'],
    period: { from: at(-365), to: at(180) },
    finest_granularity: 'PT1H',
    subject_form: 'identified',
    delivery: ['pull'],
    purpose: [
      { code: 'energy-advice', required: true },
      { code: 'efficiency-verification', required: false },
    ],
    legal_basis: 'eu-gdpr:A6-1-a',
    eprivacy_basis: null,
    expires: at(180),
    delete_after: 'P30D',
    delegation: { max_depth: 1, recipients },
    countries: ['NO'],
    data_need: null,
  }
}

import { type Scope, scopeType } from '@tillit/schemas'

/** The hourly consumption of one metering point, asked for by an adviser; tests change what they are about. */
export const baseScope: Scope = {
  type: scopeType,
  actions: ['read'],
  datatypes: ['validated_history'],
  resources: ['gsrn:707057500000000001'],
  products: ['active_energy'],
  directions: ['consumption'],
  period: { from: '2025-01-01T00:00:00Z', to: '2027-01-01T00:00:00Z' },
  finest_granularity: 'PT1H',
  subject_form: 'identified',
  delivery: ['pull'],
  purpose: [{ code: 'energy-advice', required: true }],
  legal_basis: 'eu-gdpr:A6-1-a',
  eprivacy_basis: null,
  expires: '2027-01-01T00:00:00Z',
  delete_after: 'P30D',
  delegation: { max_depth: 0, recipients: [] },
  countries: ['NO'],
  data_need: null,
}

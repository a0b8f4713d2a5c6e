import type { OrganisationClaims } from '@tillit/schemas'

/** The made-up organisations of the demonstration. */
export const organisations = {
  utility: {
    legal_name: 'Nordhavn Nett AS',
    registration_number: 'NO 900 000 002',
    country: 'NO',
    roles: ['utility'],
    purposes: ['billing', 'grid-operation'],
  },
  adviser: {
    legal_name: 'Lyspunkt Energiråd AS',
    registration_number: 'NO 900 000 003',
    country: 'NO',
    roles: ['eligible_party'],
    purposes: ['energy-advice', 'efficiency-verification'],
  },
  analyst: {
    legal_name: 'Varmekart Analyse AS',
    registration_number: 'NO 900 000 004',
    country: 'NO',
    roles: ['eligible_party'],
    purposes: ['energy-advice'],
  },
} satisfies Record<string, OrganisationClaims>

export const gridArea = 'NO-NORDHAVN'
export const timeZone = 'Europe/Oslo'

/** Made-up numbers with a right check digit. */
export const homes = {
  kari: { gsrn: '707057500000000018', meter: 'NH-0001' },
  ola: { gsrn: '707057500000000025', meter: 'NH-0002' },
} as const

export const meterModel = 'Kilde K3'

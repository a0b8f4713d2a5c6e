import { vctOf } from '@tillit/credential'
import type { DcqlQuery, PresentationPreset } from '@tillit/schemas'

/** The query behind a preset: the least that answers its question. */
export function presetQuery(preset: PresentationPreset): DcqlQuery {
  switch (preset.name) {
    case 'may-act-for-metering-point': {
      const point = { path: ['metering_point'], values: [preset.metering_point] }
      return {
        credentials: [
          {
            id: 'entitlement',
            format: 'dc+sd-jwt',
            meta: { vct_values: [vctOf('MeteringPointEntitlement')] },
            claims: [point],
          },
          {
            id: 'representation',
            format: 'dc+sd-jwt',
            meta: { vct_values: [vctOf('RepresentationCredential')] },
            claims: [point, { path: ['powers'] }],
          },
        ],
        credential_sets: [{ options: [['entitlement'], ['representation']] }],
      }
    }
    case 'is-accredited-organisation':
      return {
        credentials: [
          {
            id: 'organisation',
            format: 'dc+sd-jwt',
            meta: { vct_values: [vctOf('OrganisationCredential')] },
            claims: [{ path: ['legal_name'] }, { path: ['roles'] }],
          },
        ],
      }
  }
}

import {
  ConsentReceiptClaims,
  type CredentialType,
  credentialTypeBase,
  MeterDeviceClaims,
  MeteringPointEntitlementClaims,
  OrganisationClaims,
  RevocationReceiptClaims,
} from '@tillit/schemas'
import type { TObject } from 'typebox'

/** Who may issue a type: the root itself, an accredited utility, or the authority that runs this city's permissions. */
export type IssuerRule = 'root' | 'utility' | 'authority'

export interface CredentialRule {
  claims: TObject
  issuer: IssuerRule
  /** Claims that the holder may leave out when presenting. All others are always visible. */
  disclosable: readonly string[]
}

/**
 * The one table of credential types. Disclosable is what identifies a person or names more than most verifiers need;
 * what a verifier decides by (roles, the opaque metering point, the legal record) stays visible.
 */
export const credentialRules: Readonly<Record<CredentialType, CredentialRule>> = {
  OrganisationCredential: { claims: OrganisationClaims, issuer: 'root', disclosable: ['registration_number'] },
  MeterDeviceCredential: { claims: MeterDeviceClaims, issuer: 'utility', disclosable: ['model', 'serial'] },
  MeteringPointEntitlement: {
    claims: MeteringPointEntitlementClaims,
    issuer: 'utility',
    disclosable: ['gsrn', 'role', 'from'],
  },
  ConsentReceipt: {
    claims: ConsentReceiptClaims,
    issuer: 'authority',
    disclosable: ['recipient', 'purposes', 'scope_digest'],
  },
  RevocationReceipt: { claims: RevocationReceiptClaims, issuer: 'authority', disclosable: ['recipients_told'] },
}

/** The `vct` of a type. */
export function vctOf(type: CredentialType): string {
  return credentialTypeBase + type
}

/** The type of a `vct`, or null when this city does not know it. */
export function typeOfVct(vct: unknown): CredentialType | null {
  if (typeof vct !== 'string' || !vct.startsWith(credentialTypeBase)) return null
  const name = vct.slice(credentialTypeBase.length)
  return isCredentialType(name) ? name : null
}

function isCredentialType(name: string): name is CredentialType {
  return Object.hasOwn(credentialRules, name)
}

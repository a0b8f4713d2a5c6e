import {
  ConsentReceiptClaims,
  type CredentialType,
  credentialTypeBase,
  DelegationCredentialClaims,
  MeterDeviceClaims,
  MeteringPointEntitlementClaims,
  OrganisationClaims,
  PermissionClaims,
  RepresentationClaims,
  RevocationReceiptClaims,
} from '@tillit/schemas'
import type { TObject } from 'typebox'

/**
 * Who may issue a type: the root itself, an accredited utility, either of them, an accredited eligible party, or the
 * authority that runs this city's permissions.
 */
export type IssuerRule = 'root' | 'utility' | 'root-or-utility' | 'eligible_party' | 'authority'

export interface CredentialRule {
  claims: TObject
  issuer: IssuerRule
  /** What the holder may leave out when presenting; `sub` and `jti` stand for holder and credential. All else is visible. */
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
    disclosable: ['gsrn', 'role', 'from', 'sub', 'jti'],
  },
  RepresentationCredential: {
    claims: RepresentationClaims,
    issuer: 'root-or-utility',
    // Not the metering point: with it left out, the credential would seem to hold for all of them.
    disclosable: ['represents', 'role', 'powers', 'from', 'sub', 'jti'],
  },
  PermissionCredential: { claims: PermissionClaims, issuer: 'authority', disclosable: ['scope'] },
  DelegationCredential: {
    claims: DelegationCredentialClaims,
    issuer: 'eligible_party',
    disclosable: ['scope', 'delegator'],
  },
  ConsentReceipt: {
    claims: ConsentReceiptClaims,
    issuer: 'authority',
    disclosable: ['recipient', 'purposes', 'scope_digest'],
  },
  RevocationReceipt: { claims: RevocationReceiptClaims, issuer: 'authority', disclosable: ['recipients_told'] },
}

export const credentialTypes = Object.keys(credentialRules).filter(isCredentialType)

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

export function isCredentialType(name: string): name is CredentialType {
  return Object.hasOwn(credentialRules, name)
}

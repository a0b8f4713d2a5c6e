import { Problem } from '@tillit/problem'
import type { CredentialType } from '@tillit/schemas'
import { type TObject, type TProperties, Type } from 'typebox'
import { Value } from 'typebox/value'
import { credentialRules } from './credential-types.ts'

/**
 * Checks claims against the schema of their type: all of them when `complete`, else (a presentation) disclosable ones may
 * be missing. Throws Problem invalid-credential with a pointer to the first fault.
 */
export function checkClaims(
  type: CredentialType,
  claims: Record<string, unknown>,
  options: { complete: boolean },
): void {
  const schema = options.complete ? credentialRules[type].claims : presentable[type]
  if (Value.Check(schema, claims)) return
  const [first] = Value.Errors(schema, claims)
  throw new Problem('invalid-credential', {
    detail: `The claims are not those of ${type}: ${first?.message ?? 'not valid'}`,
    pointer: first?.instancePath ?? '',
  })
}

const presentable = {
  OrganisationCredential: withOptional('OrganisationCredential'),
  MeterDeviceCredential: withOptional('MeterDeviceCredential'),
  MeteringPointEntitlement: withOptional('MeteringPointEntitlement'),
  ConsentReceipt: withOptional('ConsentReceipt'),
  RevocationReceipt: withOptional('RevocationReceipt'),
} satisfies Record<CredentialType, TObject>

function withOptional(type: CredentialType): TObject {
  const { claims, disclosable } = credentialRules[type]
  const properties: TProperties = {}
  for (const [name, schema] of Object.entries(claims.properties)) {
    properties[name] = disclosable.includes(name) ? Type.Optional(schema) : schema
  }
  return Type.Object(properties, { additionalProperties: false })
}

import type { Json } from '@tillit/codec'
import { Problem } from '@tillit/problem'
import { type CredentialType, checkerOf } from '@tillit/schemas'
import { type TObject, type TProperties, Type } from 'typebox'
import { Errors } from 'typebox/value'
import { credentialRules } from './credential-types.ts'

interface ClaimsCheck {
  schema: TObject
  check: (claims: unknown) => boolean
}

/** Made when a type is first checked. */
const checks = new Map<string, ClaimsCheck>()

/**
 * Checks claims against the schema of their type: all of them when `complete`, else (a presentation) disclosable ones may
 * be missing. Gives them. Throws Problem invalid-credential with a pointer to the first fault.
 */
export function checkClaims(
  type: CredentialType,
  claims: Record<string, unknown>,
  { complete }: { complete: boolean },
): { [name: string]: Json } {
  const { schema, check } = claimsCheck(type, complete)
  // The schemas hold JSON only.
  if (check(claims)) return claims as { [name: string]: Json }
  const [first] = Errors(schema, claims)
  throw new Problem('invalid-credential', {
    detail: `The claims are not those of ${type}: ${first?.message ?? 'not valid'}`,
    pointer: first?.instancePath ?? '',
  })
}

function claimsCheck(type: CredentialType, complete: boolean): ClaimsCheck {
  const name = `${type} ${complete}`
  const known = checks.get(name)
  if (known) return known
  const schema = complete ? credentialRules[type].claims : withOptional(type)
  const made = { schema, check: checkerOf(schema) }
  checks.set(name, made)
  return made
}

function withOptional(type: CredentialType): TObject {
  const { claims, disclosable } = credentialRules[type]
  const properties: TProperties = {}
  for (const [name, schema] of Object.entries(claims.properties)) {
    properties[name] = disclosable.includes(name) ? Type.Optional(schema) : schema
  }
  return Type.Object(properties, { additionalProperties: false })
}

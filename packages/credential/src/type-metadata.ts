import { sha256, toBase64, utf8 } from '@tillit/codec'
import { type CredentialType, credentialDisplay, type Localised } from '@tillit/schemas'
import { credentialRules, vctOf } from './credential-types.ts'

/** SD-JWT VC Type Metadata (draft-ietf-oauth-sd-jwt-vc, section 4). */
export interface TypeMetadata {
  vct: string
  name: string
  description: string
  display: { locale: string; name: string; description: string }[]
  claims: ClaimMetadata[]
}

export interface ClaimMetadata {
  path: [string]
  display: { locale: string; label: string }[]
  mandatory: boolean
  sd: 'always' | 'never'
}

const locales = ['en', 'nb', 'da'] as const satisfies (keyof Localised)[]

/** What a type looks like, for wallets that show it and verifiers that ask for it. */
export function typeMetadata(type: CredentialType): TypeMetadata {
  const { name, description } = credentialDisplay.types[type]
  return {
    vct: vctOf(type),
    name: name.en,
    description: description.en,
    display: locales.map((locale) => ({ locale, name: name[locale], description: description[locale] })),
    claims: claimMetadata(type),
  }
}

/** The bytes that are served. */
export function typeMetadataText(type: CredentialType): string {
  return `${JSON.stringify(typeMetadata(type), null, 2)}\n`
}

/**
 * W3C Subresource Integrity of the document (section 5). Our credentials do not name it as `vct#integrity`: a label that is
 * put right would make wallets refuse what was issued before.
 */
export function typeMetadataIntegrity(type: CredentialType): string {
  const known = integrity.get(type)
  if (known !== undefined) return known
  const computed = `sha256-${toBase64(sha256(utf8(typeMetadataText(type))))}`
  integrity.set(type, computed)
  return computed
}

const integrity = new Map<CredentialType, string>()

/** The claims of the type, and what stands beside them and may be left out (`sub`, `jti`). */
function claimMetadata(type: CredentialType): ClaimMetadata[] {
  const { claims, disclosable } = credentialRules[type]
  const names = [...new Set([...Object.keys(claims.properties), ...disclosable])]
  return names.map((name) => ({
    path: [name],
    display: locales.map((locale) => ({ locale, label: labelOf(name)[locale] })),
    mandatory: claims.required?.includes(name) ?? false,
    sd: disclosable.includes(name) ? 'always' : 'never',
  }))
}

function labelOf(name: string): Localised {
  const label = credentialDisplay.claims[name]
  if (label === undefined) throw new TypeError(`the claim ${name} has no label`)
  return label
}

import display from '../credential-display.json' with { type: 'json' }
import type { CredentialType } from './credential-claims.ts'

/** A text in each language of the city. */
export interface Localised {
  readonly en: string
  readonly nb: string
  readonly da: string
}

/** How wallets show credentials: a name and a sentence for each type, a label for each claim. */
export const credentialDisplay: {
  readonly types: Readonly<Record<CredentialType, { readonly name: Localised; readonly description: Localised }>>
  readonly claims: Readonly<Record<string, Localised>>
} = display

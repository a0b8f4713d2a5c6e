import { credentialTypes } from '@tillit/credential'
import type { CredentialType } from '@tillit/schemas'
import { type CredentialFormat, credentialFormats } from '../sign-credential.ts'

export interface CredentialConfiguration {
  /** Also the scope under which it is asked for. */
  id: string
  type: CredentialType
  format: CredentialFormat
}

/** Every type in every format: under its own name in the default one, else with the format behind it. */
export const credentialConfigurations: readonly CredentialConfiguration[] = credentialTypes.flatMap((type) =>
  credentialFormats.map((format) => ({ id: format === 'dc+sd-jwt' ? type : `${type}.${format}`, type, format })),
)

const byId = new Map(credentialConfigurations.map((configuration) => [configuration.id, configuration]))

export function findConfiguration(id: string): CredentialConfiguration | undefined {
  return byId.get(id)
}

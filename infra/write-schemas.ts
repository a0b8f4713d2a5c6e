import { mkdirSync, writeFileSync } from 'node:fs'
import { credentialSchemaText, credentialTypes, typeMetadataText } from '@tillit/credential'
import type { CredentialType } from '@tillit/schemas'
import { writeJsonSchemas } from '../schemas/generate.ts'
import { describeApi } from '../services/standalone/src/describe-api.ts'

// `npm run schemas`: what others generate code from, made from the sources that validate.
writeJsonSchemas()
writeFileSync(new URL('../schemas/openapi.json', import.meta.url), await describeApi())
writeForEachType('credential-types', typeMetadataText)
writeForEachType('credential-schemas', credentialSchemaText)

function writeForEachType(folder: string, textOf: (type: CredentialType) => string): void {
  const url = new URL(`../schemas/${folder}/`, import.meta.url)
  mkdirSync(url, { recursive: true })
  for (const type of credentialTypes) writeFileSync(new URL(`${type}.json`, url), textOf(type))
}

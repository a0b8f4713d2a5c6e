import { type Json, parseJson } from '@tillit/codec'
import { type CredentialType, checkerOf } from '@tillit/schemas'
import { credentialRules, credentialTypes } from './credential-types.ts'
import { malformed } from './vcdm-members.ts'

const schemaBase = 'https://tillit.example/schemas/credentials/'

/** Where the JSON Schema of a type's credentials in the W3C's data model is: their `credentialSchema`. */
export function credentialSchemaUrl(type: CredentialType): string {
  return `${schemaBase}${type}.json`
}

/** The JSON Schema (draft 2020-12) of a type's credentials: of their subject, as the data model says the rest. */
export function credentialSchemaText(type: CredentialType): string {
  const { properties, required = [] } = credentialRules[type].claims
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: credentialSchemaUrl(type),
    title: type,
    type: 'object',
    required: ['credentialSubject'],
    properties: {
      credentialSubject: {
        type: 'object',
        required,
        properties: { id: { type: 'string', format: 'uri' }, ...properties },
        additionalProperties: false,
      },
    },
  }
  return `${JSON.stringify(schema, null, 2)}\n`
}

const bundled = new Map(credentialTypes.map((type) => [credentialSchemaUrl(type), type]))
const texts = new Map<string, string>()

/** The text of a schema of ours. */
export function bundledSchema(url: string): string | undefined {
  const type = bundled.get(url)
  if (type === undefined) return undefined
  const text = texts.get(url) ?? credentialSchemaText(type)
  texts.set(url, text)
  return text
}

const checks = new Map<string, (document: unknown) => boolean>()
const maxChecks = 100

/**
 * Checks a document against the text of a JSON Schema (VC JSON Schema, section 2.1), which whoever runs the verifier has chosen.
 * Throws Problem invalid-credential.
 */
export function checkJsonSchema(document: unknown, text: string, pointer: string): void {
  const check = checks.get(text) ?? checkerOf(schemaIn(text, pointer))
  if (checks.size < maxChecks) checks.set(text, check)
  if (!check(document)) throw malformed('The credential does not fit its JSON Schema', pointer)
}

function schemaIn(text: string, pointer: string): { [name: string]: Json } {
  const schema = parseJson(text)
  if (schema === null || typeof schema !== 'object' || Array.isArray(schema))
    throw malformed('The JSON Schema is not an object', pointer)
  return schema
}

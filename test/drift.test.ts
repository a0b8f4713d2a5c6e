import { readdirSync, readFileSync } from 'node:fs'
import { credentialSchemaText, credentialTypes, typeMetadataText } from '@tillit/credential'
import { expect, test } from 'vitest'
import { jsonSchemaFiles } from '../schemas/generate.ts'
import { describeApi } from '../services/standalone/src/describe-api.ts'

// When one of these fails: `npm run schemas`, and look at what changed on the wire.

test('the JSON Schemas are those of the sources', () => {
  const written = Object.fromEntries(
    readdirSync('schemas/json').map((name) => [name, readFileSync(`schemas/json/${name}`, 'utf8')]),
  )
  expect(written).toEqual(Object.fromEntries(jsonSchemaFiles()))
})

test('openapi.json describes the routes as they are', async () => {
  expect(readFileSync('schemas/openapi.json', 'utf8')).toBe(await describeApi())
})

test.each(credentialTypes)('the type metadata and the JSON Schema of %s are those of the sources', (type) => {
  expect(readFileSync(`schemas/credential-types/${type}.json`, 'utf8')).toBe(typeMetadataText(type))
  expect(readFileSync(`schemas/credential-schemas/${type}.json`, 'utf8')).toBe(credentialSchemaText(type))
})

import { readFileSync } from 'node:fs'
import { TypeMetadataFormatSchema } from '@sd-jwt/sd-jwt-vc'
import { sha256, toBase64, utf8 } from '@tillit/codec'
import { describe, expect, test } from 'vitest'
import { credentialRules, credentialTypes } from './credential-types.ts'
import { typeMetadata, typeMetadataIntegrity, typeMetadataText } from './type-metadata.ts'

describe.each(credentialTypes)('%s', (type) => {
  const metadata = typeMetadata(type)

  test('has a name, a sentence and a label for each claim in English, Norwegian and Danish', () => {
    expect(metadata.display.map(({ locale }) => locale)).toEqual(['en', 'nb', 'da'])
    for (const { display } of metadata.claims) expect(display.map(({ locale }) => locale)).toEqual(['en', 'nb', 'da'])
    for (const name of Object.keys(credentialRules[type].claims.properties))
      expect(metadata.claims.map(({ path }) => path[0])).toContain(name)
  })

  test('says of each claim whether its holder may leave it out', () => {
    for (const { path, sd } of metadata.claims)
      expect(sd).toBe(credentialRules[type].disclosable.includes(path[0]) ? 'always' : 'never')
  })

  test('has type metadata that the reference library takes', () => {
    expect(TypeMetadataFormatSchema.safeParse(metadata).error).toBeUndefined()
  })

  test('is published byte for byte, with its digest', () => {
    const published = readFileSync(new URL(`../../../schemas/credential-types/${type}.json`, import.meta.url), 'utf8')
    expect(published).toBe(typeMetadataText(type))
    expect(typeMetadataIntegrity(type)).toBe(`sha256-${toBase64(sha256(utf8(published)))}`)
  })
})

import { credentialSchemaText, credentialTypes, typeMetadataText } from '@tillit/credential'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startCity, type TestCity } from './start-city.ts'

let city: TestCity

beforeAll(async () => {
  city = await startCity()
})
afterAll(() => city.stop())

test.each(credentialTypes)('the type metadata of %s is served byte for byte, at both places', async (type) => {
  for (const path of [`/credentials/types/${type}`, `/.well-known/vct/credentials/${type}`]) {
    const { status, text, headers } = await city.call(null, 'GET', path)
    expect([status, text, headers['content-type']]).toEqual([200, typeMetadataText(type), 'application/json'])
    const again = await city.app.inject({ url: path, headers: { 'if-none-match': String(headers.etag) } })
    expect(again.statusCode).toBe(304)
  }
})

test.each(credentialTypes)('the JSON Schema of %s is served byte for byte', async (type) => {
  const { status, text, headers } = await city.call(null, 'GET', `/credentials/schemas/${type}`)
  expect([status, text]).toEqual([200, credentialSchemaText(type)])
  expect(headers['content-type']).toContain('application/schema+json')
})

test('there is no metadata of a type that is none', async () => {
  expect((await city.call(null, 'GET', '/credentials/types/Unheard')).status).toBe(400)
})

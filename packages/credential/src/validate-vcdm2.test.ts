import { readFileSync } from 'node:fs'
import { sha256, toBase58, toBase64, toHex, utf8 } from '@tillit/codec'
import { bundledContexts, credentialsContext, tillitContext } from '@tillit/schemas'
import { describe, expect, test } from 'vitest'
import { entitlementClaims } from '../test/city.ts'
import { credentialSchemaText, credentialSchemaUrl } from './credential-schema.ts'
import { validateVcdm2, validateVcdm2Presentation } from './validate-vcdm2.ts'
import { pinnedContexts } from './vcdm-contexts.ts'

const invalid = (pointer: string) =>
  expect.objectContaining({ name: 'Problem', code: 'invalid-credential', pointer: expect.stringContaining(pointer) })

const credential = {
  '@context': [credentialsContext, tillitContext],
  id: 'https://city.example/credentials/1',
  type: ['VerifiableCredential', 'MeteringPointEntitlement'],
  issuer: 'did:web:utility.example',
  validFrom: '2026-01-01T00:00:00Z',
  validUntil: '2027-01-01T00:00:00+01:00',
  credentialSubject: { id: 'did:web:holder.example', ...entitlementClaims },
}
const schemaId = credentialSchemaUrl('MeteringPointEntitlement')
const schemaText = credentialSchemaText('MeteringPointEntitlement')
const sri = (text: string) => `sha256-${toBase64(sha256(utf8(text)))}`
const multihash = (text: string) => `z${toBase58(Uint8Array.from([0x12, 0x20, ...sha256(utf8(text))]))}`

test.each(bundledContexts)('the bundled context $url is the file with the digest $sha256', ({ url, sha256: pin }) => {
  const name = url === tillitContext ? 'tillit-v1' : 'credentials-v2'
  const text = readFileSync(new URL(`../../../schemas/contexts/${name}.json`, import.meta.url))
  expect(toHex(sha256(text))).toBe(pin)
})

describe('a conforming credential', () => {
  test.each<[string, object]>([
    ['with all that it needs', {}],
    ['whose issuer is an object', { issuer: { id: 'https://utility.example', name: 'Nett' } }],
    ['whose issuer is a URN', { issuer: 'urn:example:utility' }],
    ['without an end', { validUntil: undefined }],
    ['without times', { validFrom: undefined, validUntil: undefined }],
    ['with fractions of seconds', { validFrom: '2026-01-01T00:00:00.123456Z' }],
    ['with several subjects', { credentialSubject: [{ gsrn: '1' }, { id: 'urn:example:2' }] }],
    [
      'with a name in two languages',
      {
        name: [
          { '@value': 'Name', '@language': 'en' },
          { '@value': 'Navn', '@language': 'nb' },
        ],
      },
    ],
    [
      'with a description from right to left',
      { description: { '@value': 'x', '@language': 'ar', '@direction': 'rtl' } },
    ],
    ['with its schema', { credentialSchema: { id: schemaId, type: 'JsonSchema' } }],
    [
      'with its schema and digest',
      { credentialSchema: [{ id: schemaId, type: 'JsonSchema', digestSRI: sri(schemaText) }] },
    ],
    [
      'with a related resource',
      { relatedResource: { id: 'https://x.example/1', digestSRI: sri('x'), mediaType: 'text/plain' } },
    ],
    [
      'with a resource that is at hand',
      { relatedResource: [{ id: schemaId, digestMultibase: multihash(schemaText) }] },
    ],
    ['with a refresh service', { refreshService: { id: 'https://city.example/r', type: 'urn:example:Refresh' } }],
    ['with terms of use', { termsOfUse: [{ type: 'urn:example:Policy' }] }],
    ['with evidence', { evidence: [{ id: 'urn:example:e', type: ['urn:example:Evidence'] }] }],
    ['with a status', { credentialStatus: { type: 'urn:example:AnyStatus' } }],
    ['with an extension by full name', { 'https://example.org/extra': 1 }],
    [
      'with a context in it',
      { '@context': [credentialsContext, tillitContext, { extra: 'https://example.org/extra' }], extra: 1 },
    ],
  ])('%s is taken', (_, changes) => {
    const document = { ...credential, ...changes }
    const defined = Object.fromEntries(Object.entries(document).filter(([, value]) => value !== undefined))
    expect(validateVcdm2(defined)).toMatchObject({ types: credential.type })
  })

  test('gives its issuer, times and subjects', () => {
    expect(validateVcdm2(credential)).toMatchObject({
      issuer: 'did:web:utility.example',
      validFrom: new Date('2026-01-01T00:00:00Z'),
      validUntil: new Date('2026-12-31T23:00:00Z'),
      subjects: [credential.credentialSubject],
      statuses: [],
    })
  })
})

describe('a document is no credential', () => {
  test.each<[string, object, string]>([
    ['without a context', { '@context': undefined }, '/@context'],
    ['with one context as text', { '@context': credentialsContext }, '/@context'],
    ['with the base context second', { '@context': [tillitContext, credentialsContext] }, '/@context/0'],
    ['with the context of data model 1.1', { '@context': ['https://www.w3.org/2018/credentials/v1'] }, '/@context/0'],
    ['with a context that nobody knows', { '@context': [credentialsContext, 'https://example.org/c'] }, '/@context/1'],
    ['with a context that is a number', { '@context': [credentialsContext, 7] }, '/@context/1'],
    [
      'with a context that imports another',
      { '@context': [credentialsContext, { '@import': 'https://x.example' }] },
      '/@context/1',
    ],
    [
      'with a term of the base context defined anew',
      { '@context': [credentialsContext, { name: 'https://x.example#n' }] },
      '/@context/1',
    ],
    ['with a context further in', { credentialSubject: { '@context': [], gsrn: '1' } }, '/credentialSubject'],
    ['without a type', { type: undefined }, '/type'],
    ['without the base type', { type: ['MeteringPointEntitlement'] }, '/type'],
    ['with a type that no context defines', { type: ['VerifiableCredential', 'Unheard'] }, '/type'],
    ['with an empty type', { type: [] }, '/type'],
    ['with a type that is a number', { type: ['VerifiableCredential', 7] }, '/type'],
    ['with an id that is no URL', { id: 'not a url' }, '/id'],
    ['with several ids', { id: ['urn:example:1', 'urn:example:2'] }, '/id'],
    ['with an id that is null', { id: null }, '/id'],
    ['without an issuer', { issuer: undefined }, '/issuer'],
    ['with an issuer that is no URL', { issuer: 'utility' }, '/issuer'],
    ['with an issuer that is null', { issuer: null }, '/issuer'],
    ['with several issuers', { issuer: ['did:web:a.example', 'did:web:b.example'] }, '/issuer'],
    ['with an issuer without an id', { issuer: { name: 'Nett' } }, '/issuer/id'],
    ['with an issuer whose name is a number', { issuer: { id: 'did:web:a.example', name: 7 } }, '/issuer/name'],
    ['with a time without a zone', { validFrom: '2026-01-01T00:00:00' }, '/validFrom'],
    ['with a day that there is not', { validFrom: '2026-13-01T00:00:00Z' }, '/validFrom'],
    ['with a time that is a number', { validUntil: 1 }, '/validUntil'],
    ['that ends before it begins', { validUntil: '2025-01-01T00:00:00Z' }, '/validUntil'],
    ['without a subject', { credentialSubject: undefined }, '/credentialSubject'],
    ['with a subject that says nothing', { credentialSubject: {} }, '/credentialSubject'],
    ['with a subject among them that says nothing', { credentialSubject: [{ gsrn: '1' }, {}] }, '/credentialSubject/1'],
    ['with an empty list of subjects', { credentialSubject: [] }, '/credentialSubject'],
    ['with a subject that is text', { credentialSubject: 'did:web:holder.example' }, '/credentialSubject'],
    ['with a subject whose id is no URL', { credentialSubject: { id: 'x y', gsrn: '1' } }, '/credentialSubject/id'],
    [
      'with a claim that no context defines',
      { credentialSubject: { favourite_colour: 'red' } },
      '/credentialSubject/favourite_colour',
    ],
    ['with a member that no context defines', { unheard: 1 }, '/unheard'],
    ['with a status without a type', { credentialStatus: { id: 'urn:example:1' } }, '/credentialStatus/type'],
    [
      'with a status whose id is no URL',
      { credentialStatus: { id: '1', type: 'urn:example:S' } },
      '/credentialStatus/id',
    ],
    ['with a schema without an id', { credentialSchema: { type: 'JsonSchema' } }, '/credentialSchema/id'],
    ['with a schema without a type', { credentialSchema: { id: schemaId } }, '/credentialSchema/type'],
    [
      'with a schema of a type that is not known',
      { credentialSchema: { id: schemaId, type: 'urn:example:X' } },
      '/credentialSchema/type',
    ],
    [
      'with a schema that is not at hand',
      { credentialSchema: { id: 'https://x.example/s', type: 'JsonSchema' } },
      '/credentialSchema/id',
    ],
    [
      'with a schema that it does not fit',
      { credentialSchema: { id: credentialSchemaUrl('MeterDeviceCredential'), type: 'JsonSchema' } },
      '/credentialSchema',
    ],
    [
      'with a schema of another digest',
      { credentialSchema: { id: schemaId, type: 'JsonSchema', digestSRI: sri('other') } },
      '/credentialSchema',
    ],
    [
      'with a refresh service without a type',
      { refreshService: { id: 'https://city.example/r' } },
      '/refreshService/type',
    ],
    ['with terms of use without a type', { termsOfUse: { id: 'urn:example:1' } }, '/termsOfUse/type'],
    ['with evidence without a type', { evidence: [{ id: 'urn:example:1' }] }, '/evidence/0/type'],
    [
      'with a related resource without a digest',
      { relatedResource: [{ id: 'https://x.example/1' }] },
      '/relatedResource/0',
    ],
    ['with a related resource without an id', { relatedResource: [{ digestSRI: sri('x') }] }, '/relatedResource/0/id'],
    [
      'with a related resource twice',
      {
        relatedResource: [
          { id: 'urn:x:1', digestSRI: sri('x') },
          { id: 'urn:x:1', digestSRI: sri('x') },
        ],
      },
      '/relatedResource/1',
    ],
    [
      'with a digest by MD5',
      { relatedResource: [{ id: 'urn:x:1', digestSRI: 'md5-1B2M2Y8AsgTpgAmY7PhCfg==' }] },
      '/relatedResource/0/digestSRI',
    ],
    [
      'with a digest that is too short',
      { relatedResource: [{ id: 'urn:x:1', digestSRI: 'sha256-AAAA' }] },
      '/relatedResource/0/digestSRI',
    ],
    [
      'with a multihash that lies about its length',
      { relatedResource: [{ id: 'urn:x:1', digestMultibase: 'zQmA' }] },
      '/relatedResource/0/digestMultibase',
    ],
    [
      'with a resource at hand of another digest',
      { relatedResource: [{ id: schemaId, digestSRI: sri('other') }] },
      '/relatedResource/0',
    ],
    ['with a name that is a number', { name: 7 }, '/name'],
    ['with a name with another member', { name: { '@value': 'x', url: 'y' } }, '/name'],
    ['with a name without a value', { name: { '@language': 'en' } }, '/name'],
    ['with a name in no language', { name: { '@value': 'x', '@language': 'in english' } }, '/name'],
    ['with a description in no direction', { description: { '@value': 'x', '@direction': 'up' } }, '/description'],
  ])('%s', (_, changes, pointer) => {
    const document = Object.fromEntries(
      Object.entries({ ...credential, ...changes }).filter(([, value]) => value !== undefined),
    )
    expect(() => validateVcdm2(document)).toThrow(invalid(pointer))
  })

  test.each([null, 'text', 7, [credential]])('that is %j', (document) => {
    expect(() => validateVcdm2(document)).toThrow(invalid(''))
  })
})

describe('what the caller brings', () => {
  const url = 'https://www.w3.org/ns/credentials/examples/v2'
  const text = '{"@context":{"@vocab":"https://www.w3.org/ns/credentials/examples#"}}'
  const examples = { ...credential, '@context': [credentialsContext, url], anything: 'goes' }

  test('a context with its digest is known, and may define every name', () => {
    const contexts = pinnedContexts([{ url, text, sha256: toHex(sha256(utf8(text))) }])
    expect(validateVcdm2(examples, { contexts }).issuer).toBe(credential.issuer)
  })

  test('a context that is not what its digest says is refused', () => {
    expect(() => pinnedContexts([{ url, text: `${text} `, sha256: toHex(sha256(utf8(text))) }])).toThrow(
      invalid('/@context'),
    )
  })

  test('a JSON Schema is applied', () => {
    const withSchema = { ...credential, credentialSchema: { id: 'https://x.example/s', type: 'JsonSchema' } }
    const schema = (role: string) =>
      JSON.stringify({ properties: { credentialSubject: { properties: { role: { const: role } } } } })
    expect(validateVcdm2(withSchema, { resources: () => schema('holder') }).types).toEqual(credential.type)
    expect(() => validateVcdm2(withSchema, { resources: () => schema('co-occupant') })).toThrow(
      invalid('/credentialSchema'),
    )
    expect(() => validateVcdm2(withSchema, { resources: () => '[]' })).toThrow(invalid('/credentialSchema'))
  })
})

describe('a presentation', () => {
  const presentation = {
    '@context': [credentialsContext],
    type: 'VerifiablePresentation',
    holder: 'did:web:holder.example',
    verifiableCredential: [credential],
  }

  test.each<[string, object]>([
    ['with a credential', {}],
    ['of one credential that stands alone', { verifiableCredential: credential }],
    ['of none', { verifiableCredential: undefined }],
    ['whose holder is an object', { holder: { id: 'did:web:holder.example' } }],
  ])('%s is taken', (_, changes) => {
    const document = Object.fromEntries(
      Object.entries({ ...presentation, ...changes }).filter(([, v]) => v !== undefined),
    )
    expect(validateVcdm2Presentation(document).holder).toBe('did:web:holder.example')
  })

  test.each<[string, object, string]>([
    ['without its type', { type: 'VerifiableCredential' }, '/type'],
    ['with a credential that is text', { verifiableCredential: ['eyJ'] }, '/verifiableCredential/0'],
    ['with no credential in a list', { verifiableCredential: [] }, '/verifiableCredential'],
    ['whose holder is no URL', { holder: 'me' }, '/holder'],
    ['with terms of use without a type', { termsOfUse: {} }, '/termsOfUse/type'],
    ['with a member that no context defines', { unheard: 1 }, '/unheard'],
    ['without the base context', { '@context': [tillitContext] }, '/@context/0'],
  ])('%s is refused', (_, changes, pointer) => {
    expect(() => validateVcdm2Presentation({ ...presentation, ...changes })).toThrow(invalid(pointer))
  })
})

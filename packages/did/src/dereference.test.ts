import { fromHex } from '@tillit/codec'
import { ed25519PublicKey, toMultikey } from '@tillit/keys'
import { describe, expect, test } from 'vitest'
import {
  createResolver,
  type DidResolution,
  dereference,
  didKeyFor,
  standardDocument,
  withErrorObject,
} from './index.ts'

const key = ed25519PublicKey(fromHex('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'))
const multikey = toMultikey(key)
const did = 'did:webvh:QmPEQVM1JPTyrvEgBcDXwjK4TeyLGSX1PxjgyeAisdWM1p:city.example:dids:one'

const services = [
  { id: '#api', type: 'Api', serviceEndpoint: 'https://api.example/v1/' },
  {
    id: `${did}#mirrors`,
    type: ['Api', 'Mirror'],
    serviceEndpoint: ['https://a.example/', 'https://b.example/x#part'],
  },
  { id: '#object', type: 'Other', serviceEndpoint: { uri: 'https://c.example/' } },
]

function resolution(more: object = {}, id = did): DidResolution {
  return {
    '@context': 'https://w3id.org/did-resolution/v1',
    didDocument: {
      ...standardDocument(id, { keys: [key] }),
      service: services,
      ...more,
    } as DidResolution['didDocument'],
    didResolutionMetadata: { contentType: 'application/did' },
    didDocumentMetadata: { versionId: '1-Qm' },
  }
}

describe('a fragment', () => {
  test('names a verification method, which comes as a resource of its own', () => {
    expect(dereference(`${did}#${multikey}`, resolution())).toEqual({
      dereferencingMetadata: { contentType: 'application/did' },
      contentStream: {
        '@context': ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/multikey/v1'],
        id: `${did}#${multikey}`,
        type: 'Multikey',
        controller: did,
        publicKeyMultibase: multikey,
      },
      contentMetadata: {},
    })
  })

  test('names a service, also one that did:webvh implies, and a method inside a relationship', () => {
    expect(dereference(`${did}#api`, resolution()).contentStream).toMatchObject({ id: `${did}#api`, type: 'Api' })
    expect(dereference(`${did}#files`, resolution()).contentStream).toMatchObject({
      id: `${did}#files`,
      serviceEndpoint: 'https://city.example/dids/one/',
    })
    const method = { id: '#inside', type: 'Multikey', controller: did, publicKeyMultibase: multikey }
    expect(dereference(`${did}#inside`, resolution({ keyAgreement: [method] })).contentStream).toMatchObject({
      id: `${did}#inside`,
    })
  })

  test('that names nothing is not found', () => {
    expect(dereference(`${did}#none`, resolution())).toMatchObject({
      dereferencingMetadata: { error: 'notFound', problemDetails: { type: 'https://www.w3.org/ns/did#NOT_FOUND' } },
      contentStream: null,
      contentMetadata: {},
    })
  })

  test('may have to have a relationship', () => {
    const ask = (fragment: string, verificationRelationship: string) =>
      dereference(`${did}${fragment}`, resolution({ authentication: [] }), { verificationRelationship })
    expect(ask(`#${multikey}`, 'assertionMethod').contentStream).toMatchObject({ id: `${did}#${multikey}` })
    for (const relationship of ['authentication', 'keyAgreement', 'constructor'])
      expect(ask(`#${multikey}`, relationship).dereferencingMetadata.problemDetails?.type).toBe(
        'https://w3id.org/security#INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD',
      )
    for (const fragment of ['', '#api', '#none'])
      expect(ask(fragment, 'assertionMethod').dereferencingMetadata.problemDetails?.type).toBe(
        'https://w3id.org/security#INVALID_VERIFICATION_METHOD',
      )
  })
})

describe('a service', () => {
  const uris = (query: string, more?: object) => dereference(did + query, resolution(more), { accept: 'text/uri-list' })

  test.each([
    ['?service=api', ['https://api.example/v1/']],
    ['?service=%23api', ['https://api.example/v1/']],
    ['?service=mirrors', ['https://a.example/', 'https://b.example/x#part']],
    ['?serviceType=Api', ['https://api.example/v1/', 'https://a.example/', 'https://b.example/x#part']],
    ['?serviceType=Mirror&service=mirrors', ['https://a.example/', 'https://b.example/x#part']],
    ['?service=api&relativeRef=doc%3Fversion%3Dlatest', ['https://api.example/v1/doc?version=latest']],
    ['?service=api&relativeRef=%2Fsome%2Fpath%3Fquery#frag', ['https://api.example/some/path?query#frag']],
    ['?service=api&relativeRef=a+b', ['https://api.example/v1/a+b']],
    ['?service=files&relativeRef=%2Fresume.pdf', ['https://city.example/dids/one/resume.pdf']],
    ['?service=whois', ['https://city.example/dids/one/whois.vp']],
  ])('%s is at its endpoints', (query, urls) => {
    expect(uris(query)).toEqual({
      dereferencingMetadata: { contentType: 'text/uri-list' },
      contentStream: urls,
      contentMetadata: {},
    })
  })

  test('comes as the document with only the services selected where no list is asked for', () => {
    const result = dereference(`${did}?service=api`, resolution())
    expect(result.contentStream).toMatchObject({ id: did, service: [services[0]] })
    expect(result.contentMetadata).toEqual({ versionId: '1-Qm' })
  })

  test.each([
    ['?service=none', 'notFound'],
    ['?service=object', 'notFound'],
    ['?serviceType=None', 'notFound'],
    ['/path?service=api', 'notFound'],
    ['?service=mirrors#other', 'invalidDidUrl'],
    ['?service=api&relativeRef=https%3A%2F%2Fmallory.example%2F', 'invalidDidUrl'],
    ['?service=api&relativeRef=%2F%2Fmallory.example%2F', 'invalidDidUrl'],
    ['?service=api&relativeRef=..%2Fsecret', 'invalidDidUrl'],
    ['?service=api&relativeRef=%5C%5Cmallory.example', 'invalidDidUrl'],
    ['?service=files&relativeRef=%2F..%2Fsecret', 'invalidDidUrl'],
    ['?service=files&relativeRef=a%2F%252e%252e%2Fb', 'invalidDidUrl'],
    ['?service=api&service=files', 'invalidDidUrl'],
    ['?service=%ff', 'invalidDidUrl'],
  ])('%s ends in %s', (query, error) => {
    expect(uris(query)).toMatchObject({ dereferencingMetadata: { error }, contentStream: null, contentMetadata: {} })
  })

  test('has no other form', () => {
    const { dereferencingMetadata } = dereference(`${did}?service=api`, resolution(), { accept: 'text/html' })
    expect(dereferencingMetadata.error).toBe('representationNotSupported')
  })
})

describe('a path of a did:webvh', () => {
  const url = (path: string, more?: object) => dereference(did + path, resolution(more)).contentStream

  test('leads into the folder of the DID, and whois to the presentation there', () => {
    expect(url('/governance/issuers.json')).toEqual(['https://city.example/dids/one/governance/issuers.json'])
    expect(url('/a.txt#part')).toEqual(['https://city.example/dids/one/a.txt#part'])
    expect(url('/whois')).toEqual(['https://city.example/dids/one/whois.vp'])
  })

  test('follows the services that the document defines instead', () => {
    const files = { id: `${did}#files`, type: 'relativeRef', serviceEndpoint: 'https://files.example/store' }
    const whois = { id: '#whois', type: 'LinkedVerifiablePresentation', serviceEndpoint: 'https://who.example/' }
    expect(url('/a/b', { service: [files, whois] })).toEqual(['https://files.example/store/a/b'])
    expect(url('/whois', { service: [files, whois] })).toEqual(['https://who.example/'])
  })

  test('at a service that is no web address is invalid', () => {
    const files = { id: '#files', type: 'relativeRef', serviceEndpoint: 'ipfs://bafy' }
    expect(dereference(`${did}/a`, resolution({ service: [files] })).dereferencingMetadata.error).toBe('invalidDid')
  })

  test('does not lead out of it', () => {
    for (const path of ['/../a', '/a/../../b', '/%2e%2e/a', '/a/..', '/.'])
      expect(dereference(did + path, resolution()).dereferencingMetadata.error, path).toBe('invalidDidUrl')
  })

  test('of another method leads nowhere', () => {
    const id = didKeyFor(key)
    expect(dereference(`${id}/a`, resolution({}, id)).dereferencingMetadata.error).toBe('notFound')
  })
})

describe('a resolver', () => {
  const resolver = createResolver({
    webvhLog: async () => null,
    webvhWitness: async () => null,
    fetchText: null,
    now: () => new Date(0),
  })

  test('dereferences what it resolves, and says why it does not', async () => {
    const id = didKeyFor(key)
    expect((await resolver.dereference(`${id}#${multikey}`)).contentStream).toMatchObject({ id: `${id}#${multikey}` })
    expect((await resolver.dereference(id)).contentStream).toMatchObject({ id })
    expect((await resolver.dereference(`${did}/whois`)).dereferencingMetadata.error).toBe('notFound')
    expect((await resolver.dereference('no DID')).dereferencingMetadata.error).toBe('invalidDidUrl')
    expect((await resolver.dereference('did:example:1#a')).dereferencingMetadata.error).toBe('methodNotSupported')
    expect((await resolver.dereference(`${id}?hl=abc`)).dereferencingMetadata.error).toBe('notFound')
    expect((await resolver.dereference(`${id}?versionId=1`)).dereferencingMetadata.error).toBe('notFound')
  })

  test('gives errors as objects where the wire wants them', async () => {
    const { didResolutionMetadata } = await resolver.resolve('did:example:1')
    expect(withErrorObject(didResolutionMetadata)).toEqual({
      error: {
        type: 'https://www.w3.org/ns/did#METHOD_NOT_SUPPORTED',
        title: 'The DID method is not supported',
        detail: 'The method example is not supported',
        code: 'did-method-not-supported',
      },
    })
    expect(withErrorObject({ contentType: 'application/did' })).toEqual({ contentType: 'application/did' })
    expect(withErrorObject({ error: 'unheardOf' })).toEqual({
      error: { type: 'https://www.w3.org/ns/did#INTERNAL_ERROR', title: 'unheardOf' },
    })
  })
})

test('a deactivated DID gives nothing, and says that it is one', () => {
  const gone = { ...resolution(), didDocument: null, didDocumentMetadata: { deactivated: true } }
  expect(dereference(`${did}#api`, gone)).toEqual({
    dereferencingMetadata: {},
    contentStream: null,
    contentMetadata: { deactivated: true },
  })
})

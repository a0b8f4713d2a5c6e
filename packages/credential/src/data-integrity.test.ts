import { fromBase58 } from '@tillit/codec'
import { parseMultikey, signerFromSeed } from '@tillit/keys'
import type { ProblemCode } from '@tillit/problem'
import { describe, expect, test } from 'vitest'
import { didOf, signerOf } from '../test/city.ts'
import { addProof, readProof } from './data-integrity.ts'

const refused = (code: ProblemCode) => expect.objectContaining({ name: 'Problem', code })
const now = new Date('2026-11-22T12:00:00Z')

/** W3C Data Integrity EdDSA Cryptosuites v1.0, appendix B.2: the test vectors of eddsa-jcs-2022. */
const publicKeyMultibase = 'z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2'
const secretKeyMultibase = 'z3u2en7t5LR2WtQH5PfFqMqwVHBeXouLzo6haApm8XHqvjxq'
const keyId = `https://vc.example/issuers/5678#${publicKeyMultibase}`
const created = '2023-02-24T23:36:38Z'
const contexts = ['https://www.w3.org/ns/credentials/v2', 'https://www.w3.org/ns/credentials/examples/v2']
const unsecured = {
  '@context': contexts,
  id: 'urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33',
  type: ['VerifiableCredential', 'AlumniCredential'],
  name: 'Alumni Credential',
  description: 'A minimum viable example of an Alumni Credential.',
  issuer: 'https://vc.example/issuers/5678',
  validFrom: '2023-01-01T00:00:00Z',
  credentialSubject: { id: 'did:example:abcdefgh', alumniOf: 'The School of Examples' },
}
const proof = {
  type: 'DataIntegrityProof',
  cryptosuite: 'eddsa-jcs-2022',
  created,
  verificationMethod: keyId,
  proofPurpose: 'assertionMethod',
  '@context': contexts,
}
const publishedProofValue = 'z63t83Y53KfzJ5ZosfKTnqfMcKB2dmTrfjSaQjeNNjAD5srBowQfmWqeRb8rRjmeEuCBEsddF9LsVogtuTsijJKh4'

function isSigned(document: object, changes: Parameters<typeof readProof>[1] = { purpose: 'assertionMethod', now }) {
  return readProof({ ...document }, changes).isSignedBy(parseMultikey(publicKeyMultibase))
}

describe('the published vector', () => {
  test('verifies', () => {
    expect(isSigned({ ...unsecured, proof: { ...proof, proofValue: publishedProofValue } })).toBe(true)
  })

  test('comes out of signing, byte for byte', async () => {
    const signer = await signerFromSeed(fromBase58(secretKeyMultibase.slice(1)).slice(2))
    const signed = await addProof(unsecured, { keyId, signer, purpose: 'assertionMethod', created: new Date(created) })
    expect(signed.proof).toEqual({ ...proof, proofValue: publishedProofValue })
  })

  test.each([
    ['a changed subject', { credentialSubject: { id: 'did:example:mallory', alumniOf: 'The School of Examples' } }, {}],
    ['another issuer', { issuer: 'https://vc.example/issuers/5679' }, {}],
    ['another time of the proof', {}, { created: '2023-02-24T23:36:39Z' }],
    ['another key named', {}, { verificationMethod: `${keyId}#` }],
    ['a domain put in', {}, { domain: 'https://verifier.example' }],
  ])('does not verify with %s', (_, document, options) => {
    const changed = { ...unsecured, ...document, proof: { ...proof, proofValue: publishedProofValue, ...options } }
    expect(isSigned(changed)).toBe(false)
  })

  test('verifies with a context added after those that were signed, which the signature does not cover', () => {
    const document = { ...unsecured, '@context': [...contexts, 'https://example.org/more'] }
    expect(isSigned({ ...document, proof: { ...proof, proofValue: publishedProofValue } })).toBe(true)
  })

  test.each([
    ['another first', ['https://example.org/more', ...contexts]],
    ['one of them gone', contexts.slice(0, 1)],
    ['their order changed', contexts.toReversed()],
  ])('is refused with %s of the contexts that were signed', (_, context) => {
    const document = { ...unsecured, '@context': context, proof: { ...proof, proofValue: publishedProofValue } }
    expect(() => isSigned(document)).toThrow(refused('invalid-credential'))
  })
})

describe('a proof', () => {
  const of = (changes: object) => ({ ...unsecured, proof: { ...proof, proofValue: publishedProofValue, ...changes } })

  test.each([
    ['of another type', { type: 'Ed25519Signature2020' }, 'invalid-credential'],
    ['of another suite', { cryptosuite: 'eddsa-rdfc-2022' }, 'invalid-credential'],
    ['for another purpose', { proofPurpose: 'authentication' }, 'invalid-credential'],
    ['with a member that nobody here understands', { previousProof: 'urn:uuid:1' }, 'invalid-credential'],
    ['whose key is no URL', { verificationMethod: publicKeyMultibase }, 'invalid-credential'],
    ['without a key', { verificationMethod: undefined }, 'invalid-credential'],
    ['with a time that has no zone', { created: '2023-02-24T23:36:38' }, 'invalid-credential'],
    ['from the future', { created: '2026-11-22T12:02:00Z' }, 'credential-expired'],
    ['that has expired', { expires: '2026-11-22T12:00:00Z' }, 'credential-expired'],
    ['whose value is base64url', { proofValue: 'u-JHexlZl8_vhg' }, 'invalid-credential'],
    ['whose value is no text', { proofValue: 7 }, 'invalid-credential'],
  ] as const)('%s is refused', (_, changes, code) => {
    expect(() => isSigned(of(changes))).toThrow(refused(code))
  })

  test.each([
    ['none', undefined],
    ['two', [proof, proof]],
    ['a text', 'proof'],
  ])('has to be one: %s is refused', (_, proofs) => {
    expect(() => isSigned({ ...unsecured, proof: proofs })).toThrow(refused('invalid-credential'))
  })

  test('for a presentation holds for its domain and challenge only', async () => {
    const signer = await signerOf('holder')
    const presentation = await addProof(
      { '@context': contexts.slice(0, 1), type: 'VerifiablePresentation' },
      {
        ...{ keyId: `${didOf('holder')}#key-1`, signer, purpose: 'authentication', created: now },
        ...{ domain: 'https://verifier.example', challenge: 'nonce' },
      },
    )
    const read = (changes: object) =>
      readProof(presentation, {
        ...{ purpose: 'authentication', now, domain: 'https://verifier.example', challenge: 'nonce' },
        ...changes,
      }).isSignedBy(signer.publicKey)
    expect(read({})).toBe(true)
    expect(() => read({ domain: 'https://other.example' })).toThrow(refused('invalid-credential-signature'))
    expect(() => read({ challenge: 'other' })).toThrow(refused('invalid-nonce'))
  })

  test('is made by Ed25519 keys only, and once', async () => {
    const signer = await signerOf('holder')
    const options = { keyId, signer, purpose: 'assertionMethod', created: now } as const
    await expect(addProof(unsecured, { ...options, signer: { ...signer, alg: 'ES256' } })).rejects.toThrow(
      refused('unsupported-algorithm'),
    )
    await expect(addProof({ ...unsecured, proof }, options)).rejects.toThrow(refused('invalid-credential'))
  })
})

import { X509Certificate } from 'node:crypto'
import { signerFromJwk, thumbprint, toPublicJwk } from '@tillit/keys'
import { describe, expect, test } from 'vitest'
import { providerCertificate, providerCertificateKey } from '../../authorization/test/provider-certificate.ts'
import { readKeyAttesters } from '../src/index.ts'
import { verifyKeyAttestation } from '../src/openid4vci/key-attestation.ts'
import { newIdentity, startCity } from './start-city.ts'
import { addWallet, askFor, freshNonce, identifierOf, keyAttestation } from './wallet-requests.ts'

const pem = new X509Certificate(Buffer.from(providerCertificate, 'base64')).toString()
const { d: _, ...publicKey } = providerCertificateKey

describe('the list of those whose attestations are taken', () => {
  test('has keys by their ids and certificates', () => {
    const attesters = readKeyAttesters({ keys: [{ kid: 'a', jwk: publicKey }], certificates: [pem], required: true })
    expect(attesters).toMatchObject({ certificates: [pem], required: true })
    const key = attesters.keys.get('a')
    expect(key && toPublicJwk(key)).toEqual(publicKey)
    expect(readKeyAttesters({ certificates: [pem] })).toMatchObject({ required: false })
  })

  test.each<[string, unknown]>([
    ['no object', []],
    ['an unknown member', { certificates: [pem], trust: 'everybody' }],
    ['nobody', {}],
    ['nobody in words', { keys: [], certificates: [] }],
    ['a private key', { keys: [{ kid: 'a', jwk: providerCertificateKey }] }],
    ['a small-order key', { keys: [{ kid: 'a', jwk: { kty: 'OKP', crv: 'Ed25519', x: `AQ${'A'.repeat(41)}` } }] }],
    ['a certificate that is none', { certificates: ['-----BEGIN CERTIFICATE-----'] }],
  ])('with %s is refused', (_name, value) => {
    expect(() => readKeyAttesters(value)).toThrow(expect.objectContaining({ code: 'invalid-configuration' }))
  })
})

test('an attestation signed under a certificate is taken where the certificate is trusted, and refused where not', async () => {
  const attester = await signerFromJwk(providerCertificateKey)
  const city = await startCity({ keyAttesters: readKeyAttesters({ certificates: [pem] }) })
  try {
    await city.accredit(city.utility)
    // The certificate is valid from the day on which it was made.
    city.clock.now = new Date('2027-01-01T00:00:00Z')
    const { wallet } = await addWallet(city)
    const keys = [(await newIdentity()).signer.publicKey]
    const nonce = await freshNonce(city)
    const header = { kid: undefined, x5c: [providerCertificate] }
    const attestation = await keyAttestation(city, attester, { keys, header, payload: { nonce } })
    const body = { credential_identifier: identifierOf(wallet), proofs: { attestation: [attestation] } }
    expect((await askFor(city, wallet, body)).status).toBe(200)
    const verify = (attesters: Parameters<typeof verifyKeyAttestation>[1]['attesters']) =>
      verifyKeyAttestation(attestation, { attesters, now: city.clock.now, beside: 'none' })
    const trusting = readKeyAttesters({ certificates: [pem] })
    expect(verify(trusting).keys.map(({ key }) => thumbprint(key))).toEqual(keys.map(thumbprint))
    expect(() => verify({ ...trusting, certificates: [] })).toThrow(expect.objectContaining({ code: 'invalid-proof' }))
  } finally {
    await city.stop()
  }
})

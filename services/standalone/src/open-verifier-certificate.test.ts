import { createPrivateKey } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generatePrivateJwk, type PrivateJwk } from '@tillit/keys'
import { afterAll, expect, test } from 'vitest'
import { leafCertificate, leafPrivateJwk, trustAnchor } from '../../verifier/test/certificate.fixture.ts'
import { openVerifierCertificate } from './open-verifier-certificate.ts'

const folder = mkdtempSync(join(tmpdir(), 'tillit-certificate-'))
const now = new Date('2027-01-01T00:00:00Z')
afterAll(() => rmSync(folder, { recursive: true }))

const pem = (base64: string) => `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`
const pemOf = (key: PrivateJwk) =>
  createPrivateKey({ key: { ...key }, format: 'jwk' }).export({ format: 'pem', type: 'pkcs8' })
const keyPem = pemOf(leafPrivateJwk)
const otherKey = pemOf(await generatePrivateJwk('ES256'))

function fileOf(text: string): string {
  const file = join(folder, 'certificate.pem')
  writeFileSync(file, text)
  return file
}

test('a certificate and its key make the name by which wallets of the high assurance profile know the verifier', async () => {
  const opened = await openVerifierCertificate(fileOf(pem(leafCertificate) + keyPem), now)
  expect(opened).toMatchObject({ chain: [leafCertificate], signer: { alg: 'ES256' } })
  expect(await openVerifierCertificate(null, now)).toBeNull()
})

test.each([
  ['nothing', '', 'holds no certificate'],
  ['no key', pem(leafCertificate), 'is not certificates and a private key'],
  ['the key of another', pem(leafCertificate) + otherKey, 'is not that of the certificate'],
  ['a certificate that signs itself', pem(trustAnchor) + keyPem, 'signs itself'],
  ['a damaged certificate', pem('AAAA') + keyPem, 'is not certificates and a private key'],
])('a file with %s is refused in words for the operator', async (_name, text, words) => {
  await expect(openVerifierCertificate(fileOf(text), now)).rejects.toThrow(
    expect.objectContaining({ code: 'invalid-configuration', message: expect.stringContaining(words) }),
  )
})

test('a certificate outside its time is refused, and a file that is not there', async () => {
  const file = fileOf(pem(leafCertificate) + keyPem)
  for (const time of ['2026-11-22T00:00:00Z', '2127-01-01T00:00:00Z'])
    await expect(openVerifierCertificate(file, new Date(time))).rejects.toThrow(/not valid now/)
  await expect(openVerifierCertificate(join(folder, 'missing.pem'), now)).rejects.toThrow(/cannot be read/)
})

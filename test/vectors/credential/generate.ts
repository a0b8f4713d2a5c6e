import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { toBase64url, utf8 } from '@tillit/codec'
import { presentSdJwtVc } from '@tillit/credential'
import { signJws } from '@tillit/keys'
import {
  accreditUtility,
  authorityDid,
  didOf,
  documentOf,
  entitlementClaims,
  issue,
  now,
  organisationClaims,
  rootDid,
  signerOf,
  statusUri,
  utilityDid,
} from '../../../packages/credential/test/city.ts'

/** Writes the vectors again, byte by byte the same: keys come from names, salts from a counter. */
const accreditation = await accreditUtility()
const city = {
  now: now.toISOString(),
  root: rootDid,
  authorities: [authorityDid],
  documents: await Promise.all(['registrar', 'utility', 'authority', 'stranger'].map(documentOf)),
  accreditations: { [utilityDid]: accreditation },
  statuses: {},
}
const entitlement = await issue('utility', 'MeteringPointEntitlement', entitlementClaims)
const [jwt = '', ...disclosures] = entitlement.split('~')

function write(kind: 'valid' | 'invalid', sentence: string, vector: object): void {
  const folder = join(import.meta.dirname, kind)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, `${sentence}.json`), `${JSON.stringify({ ...city, ...vector }, null, 2)}\n`)
}

write('valid', 'an-entitlement-of-an-accredited-utility-verifies-to-the-root', {
  credential: entitlement,
  expected: { type: 'MeteringPointEntitlement', issuer: utilityDid, claims: entitlementClaims },
})
write('valid', 'an-entitlement-with-all-its-disclosures-left-out-verifies', {
  credential: await presentSdJwtVc(entitlement, { disclose: [] }),
  expected: {
    type: 'MeteringPointEntitlement',
    issuer: utilityDid,
    claims: { metering_point: entitlementClaims.metering_point },
  },
})
write('valid', 'an-accreditation-from-the-root-verifies', {
  credential: accreditation,
  expected: { type: 'OrganisationCredential', issuer: rootDid, claims: organisationClaims },
})

const tampered = `${jwt.slice(0, -4)}AAAA`
write('invalid', 'a-changed-signature-is-not-authentic', {
  credential: [tampered, ...disclosures].join('~'),
  code: 'invalid-credential-signature',
})
write('invalid', 'a-disclosure-that-the-issuer-did-not-make-is-refused', {
  credential: `${entitlement}${toBase64url(utf8('["salt","role","holder"]'))}~`,
  code: 'invalid-credential',
})
write('invalid', 'a-revoked-credential-is-refused', {
  credential: entitlement,
  statuses: { [`${statusUri}#7`]: 'revoked' },
  code: 'credential-revoked',
})
write('invalid', 'a-status-that-is-not-known-is-refused', {
  credential: await issue('utility', 'MeteringPointEntitlement', entitlementClaims, {
    status: { idx: 1, uri: 'https://elsewhere.example/list' },
  }),
  code: 'status-unknown',
})
write('invalid', 'an-expired-credential-is-refused', {
  credential: entitlement,
  now: '2027-11-01T00:00:00.000Z',
  code: 'credential-expired',
})
write('invalid', 'an-issuer-with-a-suspended-accreditation-is-not-trusted', {
  credential: entitlement,
  statuses: { [`${statusUri}#1`]: 'suspended' },
  code: 'untrusted-issuer',
})
write('invalid', 'an-issuer-accredited-by-a-forged-root-is-not-trusted', {
  credential: entitlement,
  accreditations: {
    [utilityDid]: await issue('stranger', 'OrganisationCredential', organisationClaims, { subjectDid: utilityDid }),
  },
  code: 'untrusted-issuer',
})
write('invalid', 'an-issuer-key-of-small-order-is-refused', {
  credential: entitlement,
  documents: [await weakDocument()],
  code: 'weak-key',
})
write('invalid', 'a-credential-of-an-unknown-type-is-refused', {
  credential: `${await signJws(
    { typ: 'dc+sd-jwt', kid: `${utilityDid}#key-1` },
    { iss: utilityDid, iat: 1_793_491_200, vct: 'https://tillit.example/credentials/Unknown' },
    await signerOf('utility'),
  )}~`,
  code: 'unknown-credential-type',
})

async function weakDocument(): Promise<object> {
  const x = toBase64url(Uint8Array.of(1, ...new Uint8Array(31)))
  const publicKeyJwk = { kty: 'OKP', crv: 'Ed25519', x }
  const id = `${didOf('utility')}#key-1`
  const verificationMethod = [{ id, type: 'JsonWebKey2020', controller: utilityDid, publicKeyJwk }]
  return { ...(await documentOf('utility')), verificationMethod }
}

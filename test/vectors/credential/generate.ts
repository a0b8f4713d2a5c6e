import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fromBase64url, fromUtf8, toBase64url, utf8 } from '@tillit/codec'
import { envelopCredential, issueDataIntegrity, issueVcJwt, presentSdJwtVc } from '@tillit/credential'
import { signJws, toPublicJwk } from '@tillit/keys'
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

const vcdm = {
  type: 'MeteringPointEntitlement',
  issuerDid: utilityDid,
  keyId: `${utilityDid}#key-1`,
  signer: await signerOf('utility'),
  holderJwk: toPublicJwk((await signerOf('holder')).publicKey),
  claims: entitlementClaims,
  status: (['revocation', 'suspension'] as const).map((purpose) => ({ purpose, idx: 7, uri: `${statusUri}/${purpose}` })),
  issuedAt: new Date('2026-11-01T00:00:00Z'),
  expires: new Date('2027-11-01T00:00:00Z'),
} as const
const vcJwt = await issueVcJwt(vcdm)
const withProof = await issueDataIntegrity(vcdm)
const expected = { type: 'MeteringPointEntitlement', issuer: utilityDid, claims: entitlementClaims }

write('valid', 'an-entitlement-as-vc-jwt-verifies-to-the-root', { credential: vcJwt, expected })
write('valid', 'an-enveloped-entitlement-verifies-to-the-root', { credential: envelopCredential(vcJwt), expected })
write('valid', 'an-entitlement-with-an-eddsa-jcs-2022-proof-verifies-to-the-root', { credential: withProof, expected })
write('invalid', 'a-changed-vc-jwt-is-not-authentic', {
  credential: `${vcJwt.slice(0, -4)}AAAA`,
  code: 'invalid-credential-signature',
})
write('invalid', 'a-vc-jwt-of-which-one-of-two-statuses-is-suspended-is-refused', {
  credential: vcJwt,
  statuses: { [`${statusUri}/suspension#7`]: 'suspended' },
  code: 'credential-revoked',
})
write('invalid', 'a-vc-jwt-of-another-token-type-is-refused', {
  credential: await signJws({ typ: 'JWT', kid: vcdm.keyId }, payloadOf(vcJwt), vcdm.signer),
  code: 'invalid-credential',
})
write('invalid', 'a-vc-jwt-in-a-context-that-nobody-knows-is-refused', {
  credential: await signJws(
    { typ: 'vc+jwt', kid: vcdm.keyId },
    { ...payloadOf(vcJwt), '@context': ['https://www.w3.org/ns/credentials/v2', 'https://elsewhere.example/context'] },
    vcdm.signer,
  ),
  code: 'invalid-credential',
})
write('invalid', 'a-vc-jwt-signed-by-somebody-else-is-not-authentic', {
  credential: await issueVcJwt({ ...vcdm, signer: await signerOf('stranger') }),
  code: 'invalid-credential-signature',
})
write('invalid', 'a-changed-credential-with-a-proof-is-not-authentic', {
  credential: { ...withProof, credentialSubject: { ...entitlementClaims, id: 'did:example:mallory' } },
  code: 'invalid-credential-signature',
})
write('invalid', 'a-credential-without-its-proof-is-refused', {
  credential: Object.fromEntries(Object.entries(withProof).filter(([name]) => name !== 'proof')),
  code: 'invalid-credential',
})
write('invalid', 'a-credential-with-a-name-that-no-context-defines-is-refused', {
  credential: { ...withProof, favouriteColour: 'red' },
  code: 'invalid-credential',
})

function payloadOf(jwt: string): object {
  return JSON.parse(fromUtf8(fromBase64url(jwt.split('.')[1] ?? '')))
}

async function weakDocument(): Promise<object> {
  const x = toBase64url(Uint8Array.of(1, ...new Uint8Array(31)))
  const publicKeyJwk = { kty: 'OKP', crv: 'Ed25519', x }
  const id = `${didOf('utility')}#key-1`
  const verificationMethod = [{ id, type: 'JsonWebKey2020', controller: utilityDid, publicKeyJwk }]
  return { ...(await documentOf('utility')), verificationMethod }
}

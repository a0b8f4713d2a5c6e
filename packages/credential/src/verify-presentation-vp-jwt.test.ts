import { createResolver, didJwkFor } from '@tillit/did'
import { type Signer, toPublicJwk } from '@tillit/keys'
import type { ProblemCode } from '@tillit/problem'
import { bundledContexts, type DcqlQuery, tillitContext } from '@tillit/schemas'
import { expect, test } from 'vitest'
import {
  cityOptions,
  entitlementClaims,
  issue,
  meteringPoint,
  now,
  signerOf,
  statusUri,
  utilityDid,
} from '../test/city.ts'
import { credentialTypes, vctOf } from './credential-types.ts'
import { presentSdJwtVc } from './present-sd-jwt-vc.ts'
import type { ResolveDid } from './resolve-key.ts'
import { issueVcJwt } from './vc-jwt.ts'
import type { VcdmIssuance } from './vcdm-document.ts'
import { presentDataIntegrity, presentVpJwt, type VcdmPresenting } from './vcdm-presentation.ts'
import { type PresentationVerification, verifyPresentation } from './verify-presentation.ts'
import { typeIriOf } from './verify-presentation-query.ts'

const audience = 'decentralized_identifier:did:web:verifier.example'
const nonce = 'n-of-this-request'

const refused = (code: ProblemCode, detail: RegExp = /./) =>
  expect.objectContaining({ name: 'Problem', code, message: expect.stringMatching(detail) })

const holderDid = didJwkFor((await signerOf('holder')).publicKey)
const strangerDid = didJwkFor((await signerOf('stranger')).publicKey)
const query: DcqlQuery = {
  credentials: [
    {
      id: 'entitlement',
      format: 'jwt_vc_json',
      meta: { type_values: [[typeIriOf('MeteringPointEntitlement')]] },
      claims: [{ path: ['credentialSubject', 'metering_point'], values: [meteringPoint] }],
    },
  ],
}

async function vcJwt(changes: Partial<VcdmIssuance & { keyId: string; signer: Signer }> = {}): Promise<string> {
  return issueVcJwt({
    type: 'MeteringPointEntitlement',
    issuerDid: utilityDid,
    keyId: `${utilityDid}#key-1`,
    signer: await signerOf('utility'),
    holderJwk: toPublicJwk((await signerOf('holder')).publicKey),
    claims: entitlementClaims,
    status: [{ purpose: 'revocation', idx: 7, uri: statusUri }],
    issuedAt: new Date('2026-11-01T00:00:00Z'),
    ...changes,
  })
}

async function vpJwt(credentials: string[], changes: Partial<VcdmPresenting> = {}): Promise<string> {
  const signer = await signerOf('holder')
  return presentVpJwt({
    ...{ holderDid, keyId: `${holderDid}#0`, signer, credentials, audience, nonce, now },
    ...changes,
  })
}

async function verifyVp(presentation: string, changes: Partial<PresentationVerification> = {}) {
  const { resolveDid, ...options } = await cityOptions()
  const own = createResolver({
    webvhLog: async () => null,
    webvhWitness: async () => null,
    fetchText: null,
    now: () => now,
  })
  const resolve: ResolveDid = async (did) =>
    did.startsWith('did:jwk:') ? { ...(await own.resolve(did)) } : resolveDid(did)
  return verifyPresentation(
    { entitlement: [presentation] },
    { ...options, resolveDid: resolve, query, audience, nonce, ...changes },
  )
}

async function thief(credentials: string[]): Promise<string> {
  return vpJwt(credentials, { holderDid: strangerDid, keyId: `${strangerDid}#0`, signer: await signerOf('stranger') })
}

test('a vc+jwt in a vp+jwt proves what was asked for, and gives only the claims that were asked for', async () => {
  const [proven] = await verifyVp(await vpJwt([await vcJwt()]))
  expect(proven).toMatchObject({
    format: 'jwt_vc_json',
    asked: { credentialSubject: { metering_point: meteringPoint } },
    credential: { type: 'MeteringPointEntitlement', format: 'vc+jwt', subject: holderDid, status: 'valid' },
  })
  expect(JSON.stringify(proven?.asked)).not.toContain(entitlementClaims.gsrn)
})

test.each<[string, (credential: string) => Promise<string>, ProblemCode]>([
  ['by another holder', (one) => thief([one]), 'invalid-credential-signature'],
  [
    'signed by another key',
    async (one) => vpJwt([one], { signer: await signerOf('stranger') }),
    'invalid-credential-signature',
  ],
  ['for another verifier', (one) => vpJwt([one], { audience: 'other' }), 'invalid-credential-signature'],
  ['for another request', (one) => vpJwt([one], { nonce: 'other' }), 'invalid-nonce'],
  ['too old', (one) => vpJwt([one], { now: new Date(now.getTime() - 301_000) }), 'credential-expired'],
  ['from the future', (one) => vpJwt([one], { now: new Date(now.getTime() + 61_000) }), 'credential-expired'],
  ['of nothing', () => vpJwt([]), 'invalid-credential'],
  ['of two credentials', (one) => vpJwt([one, one]), 'invalid-presentation'],
  ['that is none', async (one) => one, 'invalid-credential'],
])('a vc+jwt is refused in a presentation %s', async (_name, make, code) => {
  await expect(verifyVp(await make(await vcJwt()))).rejects.toThrow(refused(code))
})

test('a presentation that is authentic in another way than was asked for is refused', async () => {
  const credentials = [await vcJwt()]
  const signer = await signerOf('holder')
  const keyId = `${holderDid}#0`
  const proven = await presentDataIntegrity({ holderDid, keyId, signer, credentials, audience, nonce, now })
  await expect(verifyVp(JSON.stringify(proven))).rejects.toThrow(refused('invalid-presentation', /not a vp\+jwt/))
})

test('nobody is asked for the status of a vc+jwt from a stranger', async () => {
  const foreign = { issuerDid: strangerDid, keyId: `${strangerDid}#0`, signer: await signerOf('stranger') }
  const asked: string[] = []
  const status: PresentationVerification['status'] = async (uri) => {
    asked.push(uri)
    return 'valid'
  }
  await expect(verifyVp(await vpJwt([await vcJwt(foreign)]), { status })).rejects.toThrow(refused('untrusted-issuer'))
  expect(asked).toEqual([])
})

test('a vc+jwt is refused when it is forged, revoked, of another type, or has other values', async () => {
  const forged = await vpJwt([await vcJwt({ signer: await signerOf('stranger') })])
  await expect(verifyVp(forged)).rejects.toThrow(refused('invalid-credential-signature'))
  const { status } = await cityOptions({ statuses: { 7: 'revoked' } })
  await expect(verifyVp(await vpJwt([await vcJwt()]), { status })).rejects.toThrow(refused('credential-revoked'))
  const device = await vcJwt({
    type: 'MeterDeviceCredential',
    claims: { model: 'm', serial: 's', metering_point: meteringPoint },
  })
  await expect(verifyVp(await vpJwt([device]))).rejects.toThrow(refused('invalid-presentation', /not of the type/))
  const elsewhere = await vcJwt({ claims: { ...entitlementClaims, metering_point: 'mp_BBBBBBBBBBBBBBBBBBBBBB' } })
  await expect(verifyVp(await vpJwt([elsewhere]))).rejects.toThrow(refused('invalid-presentation'))
})

test('a vc+jwt does not stand in for an SD-JWT VC, nor one for it', async () => {
  const sdJwtQuery: DcqlQuery = {
    credentials: [
      { id: 'entitlement', format: 'dc+sd-jwt', meta: { vct_values: [vctOf('MeteringPointEntitlement')] } },
    ],
  }
  await expect(verifyVp(await vpJwt([await vcJwt()]), { query: sdJwtQuery })).rejects.toThrow(
    refused('invalid-credential'),
  )
  const keyBinding = { audience, nonce, signer: await signerOf('holder'), issuedAt: now }
  const sdJwt = await issue('utility', 'MeteringPointEntitlement', entitlementClaims)
  await expect(verifyVp(await presentSdJwtVc(sdJwt, { disclose: [], keyBinding }))).rejects.toThrow(
    refused('invalid-credential'),
  )
})

test('a vc+jwt has the type that its context gives it', () => {
  const ours = bundledContexts.find(({ url }) => url === tillitContext)?.document
  for (const type of credentialTypes) expect(ours).toHaveProperty(['@context', type], typeIriOf(type))
})

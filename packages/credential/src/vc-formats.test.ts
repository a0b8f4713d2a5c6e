import { fromBase64url, fromUtf8, toBase64url, utf8 } from '@tillit/codec'
import { didJwkFor } from '@tillit/did'
import { generatePrivateJwk, type Signer, signerFromJwk, signJws, toPublicJwk } from '@tillit/keys'
import { isProblem, Problem, type ProblemCode } from '@tillit/problem'
import { compactVerify, importJWK } from 'jose'
import { describe, expect, test } from 'vitest'
import {
  cityOptions,
  didOf,
  documentOf,
  entitlementClaims,
  issue,
  now,
  resolverOver,
  signerOf,
  statusUri,
  utilityDid,
} from '../test/city.ts'
import type { CredentialStatus } from './credential-status.ts'
import { issueDataIntegrity } from './data-integrity-credential.ts'
import { envelopCredential } from './enveloped.ts'
import { issueVcJwt, secureVcJwt } from './vc-jwt.ts'
import type { VcdmIssuance } from './vcdm-document.ts'
import type { JsonObject } from './vcdm-members.ts'
import { authenticatePresentation, presentDataIntegrity, presentVpJwt } from './vcdm-presentation.ts'
import { verifyCredential } from './verify-credential.ts'

const refused = (code: ProblemCode) => expect.objectContaining({ name: 'Problem', code })

const holder = await signerOf('holder')
const utility = await signerOf('utility')
const stranger = await signerOf('stranger')
const keyId = `${utilityDid}#key-1`
const issuance: VcdmIssuance = {
  type: 'MeteringPointEntitlement',
  issuerDid: utilityDid,
  holderJwk: toPublicJwk(holder.publicKey),
  claims: entitlementClaims,
  status: [
    { purpose: 'revocation', idx: 7, uri: statusUri },
    { purpose: 'suspension', idx: 8, uri: statusUri },
  ],
  id: 'https://city.example/credentials/1',
  issuedAt: new Date('2026-11-01T00:00:00Z'),
  expires: new Date('2027-11-01T00:00:00Z'),
}

/** The same credential in each format, as it may be handed over. */
const formats: [string, () => Promise<unknown>][] = [
  ['dc+sd-jwt', () => issue('utility', 'MeteringPointEntitlement', entitlementClaims)],
  ['vc+jwt', () => issueVcJwt({ ...issuance, keyId, signer: utility })],
  ['vc+jwt', async () => envelopCredential(await issueVcJwt({ ...issuance, keyId, signer: utility }))],
  ['eddsa-jcs-2022', () => issueDataIntegrity({ ...issuance, keyId, signer: utility })],
  ['eddsa-jcs-2022', async () => JSON.stringify(await issueDataIntegrity({ ...issuance, keyId, signer: utility }))],
]

describe.each(formats)('in the format %s', (format, make) => {
  test('a credential verifies by the one function, and says the same', async () => {
    expect(await verifyCredential(await make(), await cityOptions())).toMatchObject({
      format,
      type: 'MeteringPointEntitlement',
      issuer: utilityDid,
      claims: entitlementClaims,
      issuedAt: issuance.issuedAt,
      expires: issuance.expires,
      status: 'valid',
    })
  })

  test.each([
    ['of a time before it', { now: new Date('2026-10-31T23:58:00Z') }, 'credential-expired'],
    ['of a time after it', { now: new Date('2027-11-01T00:00:00Z') }, 'credential-expired'],
    ['that is revoked', { statuses: { 7: 'revoked' as CredentialStatus } }, 'credential-revoked'],
    ['of an issuer who is not accredited', { accreditation: null }, 'untrusted-issuer'],
    ['whose status stands nowhere', { status: async () => Promise.reject(new Problem('not-found')) }, 'status-unknown'],
  ] as const)('a credential %s is refused', async (_, changes, code) => {
    await expect(make().then(async (one) => verifyCredential(one, await cityOptions(changes)))).rejects.toThrow(
      refused(code),
    )
  })
})

test('a credential of the data model is refused when either of its statuses says so', async () => {
  const jwt = await issueVcJwt({ ...issuance, keyId, signer: utility })
  for (const [idx, status] of [
    [7, 'revoked'],
    [8, 'suspended'],
  ] as const)
    await expect(verifyCredential(jwt, await cityOptions({ statuses: { [idx]: status } }))).rejects.toThrow(
      refused('credential-revoked'),
    )
})

test('where a key binding is asked for, no other format than SD-JWT VC will do', async () => {
  const jwt = await issueVcJwt({ ...issuance, keyId, signer: utility })
  const keyBinding = { audience: 'https://verifier.example', nonce: 'nonce' }
  await expect(verifyCredential(jwt, { ...(await cityOptions()), keyBinding })).rejects.toThrow(
    refused('invalid-credential-signature'),
  )
})

describe('vc+jwt', () => {
  test('is a JWS that jose verifies, over the document itself', async () => {
    const jwt = await issueVcJwt({ ...issuance, keyId, signer: utility })
    const { payload, protectedHeader } = await compactVerify(
      jwt,
      await importJWK({ ...toPublicJwk(utility.publicKey) }, 'EdDSA'),
    )
    expect(protectedHeader).toEqual({ typ: 'vc+jwt', cty: 'vc', kid: keyId, alg: 'EdDSA' })
    expect(JSON.parse(fromUtf8(payload))).toMatchObject({
      type: ['VerifiableCredential', 'MeteringPointEntitlement'],
      credentialSubject: { id: didJwkFor(holder.publicKey), ...entitlementClaims },
      cnf: { jwk: toPublicJwk(holder.publicKey) },
    })
  })

  test('is signed with ES256 as well', async () => {
    const signer = await signerFromJwk(await generatePrivateJwk('ES256'))
    const { documents } = await rekeyed('utility', signer)
    const jwt = await issueVcJwt({ ...issuance, keyId, signer })
    const options = { ...(await cityOptions()), resolveDid: resolverOver(documents) }
    expect(await verifyCredential(jwt, options)).toMatchObject({ format: 'vc+jwt', claims: entitlementClaims })
  })

  const secure = async (changes: object, { header = {}, by = 'utility' }: { header?: object; by?: string } = {}) => {
    const jwt = await issueVcJwt({ ...issuance, keyId, signer: utility })
    const payload = { ...JSON.parse(fromUtf8(fromBase64url(jwt.split('.')[1] ?? ''))), ...changes }
    return signJws({ typ: 'vc+jwt', kid: keyId, ...header }, payload, await signerOf(by))
  }

  test.each<[string, object, Parameters<typeof secure>[1], ProblemCode]>([
    ['of another type of token', {}, { header: { typ: 'JWT' } }, 'invalid-credential'],
    ['without a type of token', {}, { header: { typ: undefined } }, 'invalid-credential'],
    ['of other content', {}, { header: { cty: 'vp' } }, 'invalid-credential'],
    ['without a key', {}, { header: { kid: undefined } }, 'invalid-credential'],
    [
      'with the key of somebody else',
      {},
      { header: { kid: `${didOf('stranger')}#key-1` } },
      'invalid-credential-signature',
    ],
    ['signed by somebody else', {}, { by: 'stranger' }, 'invalid-credential-signature'],
    ['from another issuer than its key', { issuer: didOf('registrar') }, {}, 'invalid-credential-signature'],
    ['from an issuer without a DID', { issuer: 'https://utility.example' }, {}, 'invalid-credential'],
    ['whose iss is another', { iss: didOf('registrar') }, {}, 'invalid-credential'],
    ['whose header has another iss', {}, { header: { iss: didOf('registrar') } }, 'invalid-credential'],
    ['with a credential of the data model 1.1 in it', { vc: {} }, {}, 'invalid-credential'],
    ['whose token has expired', { exp: 1_700_000_000 }, {}, 'credential-expired'],
    ['whose token is not valid yet', { nbf: 4_000_000_000 }, {}, 'credential-expired'],
    ['whose time is text', { exp: 'soon' }, {}, 'invalid-credential'],
    [
      'with a status method that nobody here knows',
      { credentialStatus: { type: 'urn:example:X' } },
      {},
      'status-unknown',
    ],
    [
      'with a status for another purpose',
      { credentialStatus: { type: 'BitstringStatusListEntry', statusPurpose: 'message' } },
      {},
      'status-unknown',
    ],
    [
      'with an index that is a number',
      {
        credentialStatus: {
          type: 'BitstringStatusListEntry',
          statusPurpose: 'revocation',
          statusListIndex: 7,
          statusListCredential: statusUri,
        },
      },
      {},
      'invalid-credential',
    ],
    [
      'with more statuses than anybody should have to look up',
      {
        credentialStatus: Array.from({ length: 17 }, (_, index) => ({
          type: 'BitstringStatusListEntry',
          statusPurpose: 'revocation',
          statusListIndex: String(index),
          statusListCredential: statusUri,
        })),
      },
      {},
      'invalid-credential',
    ],
    ['without a status', { credentialStatus: undefined }, {}, 'status-unknown'],
    [
      'of two types',
      { type: ['VerifiableCredential', 'MeteringPointEntitlement', 'ConsentReceipt'] },
      {},
      'unknown-credential-type',
    ],
    [
      'of no type of ours',
      { type: ['VerifiableCredential'], credentialSchema: undefined },
      {},
      'unknown-credential-type',
    ],
    [
      'with a claim too few',
      { credentialSubject: { id: 'urn:example:x', gsrn: entitlementClaims.gsrn } },
      {},
      'invalid-credential',
    ],
    ['without a time of issue', { validFrom: undefined }, {}, 'invalid-credential'],
    [
      'with a weak key of its holder',
      { cnf: { jwk: { kty: 'OKP', crv: 'Ed25519', x: 'AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' } } },
      {},
      'weak-key',
    ],
  ])('%s is refused', async (_, changes, how, code) => {
    await expect(verifyCredential(await secure(changes, how), await cityOptions())).rejects.toThrow(refused(code))
  })

  test('fails after any byte of it is changed', async () => {
    const jwt = await issueVcJwt({ ...issuance, keyId, signer: utility })
    const options = await cityOptions()
    for (let at = 0; at < jwt.length; at += 37) {
      const changed = jwt.slice(0, at) + (jwt[at] === 'A' ? 'B' : 'A') + jwt.slice(at + 1)
      const outcome = await verifyCredential(changed, options).then(
        () => 'verified',
        (error) => (isProblem(error) ? 'refused' : error),
      )
      expect(outcome, `byte ${at}`).toBe('refused')
    }
  })

  test('of any type is signed as it is', async () => {
    const document = { '@context': ['https://www.w3.org/ns/credentials/v2'], type: 'VerifiableCredential' }
    const [, payload = ''] = (await secureVcJwt(document, { keyId, signer: utility })).split('.')
    expect(payload).toBe(toBase64url(utf8(JSON.stringify(document))))
  })
})

describe('with an eddsa-jcs-2022 proof', () => {
  const made = () => issueDataIntegrity({ ...issuance, keyId, signer: utility })

  test.each<[string, (document: JsonObject) => object, ProblemCode]>([
    [
      'with another subject',
      (d) => ({ ...d, credentialSubject: { ...entitlementClaims, id: 'urn:example:x' } }),
      'invalid-credential-signature',
    ],
    ['with another issuer', (d) => ({ ...d, issuer: didOf('registrar') }), 'invalid-credential-signature'],
    ['without its proof', ({ proof: _, ...d }) => d, 'invalid-credential'],
    ['with a member more', (d) => ({ ...d, name: 'Entitlement' }), 'invalid-credential-signature'],
  ])('%s is refused', async (_, change, code) => {
    await expect(verifyCredential(change(await made()), await cityOptions())).rejects.toThrow(refused(code))
  })

  test('by a P-256 key is not made', async () => {
    const signer = await signerFromJwk(await generatePrivateJwk('ES256'))
    await expect(issueDataIntegrity({ ...issuance, keyId, signer })).rejects.toThrow(refused('unsupported-algorithm'))
  })
})

describe('an object that envelops a credential', () => {
  test.each([
    ['is no data: URL', { id: 'https://city.example/credentials/1' }],
    ['is of another media type', { id: 'data:application/vc+sd-jwt,eyJ' }],
    ['is not in the base context', { '@context': ['https://example.org'] }],
    ['holds nothing', { id: 'data:application/vc+jwt,' }],
  ])('is refused when it %s', async (_, changes) => {
    const jwt = await issueVcJwt({ ...issuance, keyId, signer: utility })
    await expect(verifyCredential({ ...envelopCredential(jwt), ...changes }, await cityOptions())).rejects.toThrow(
      refused('invalid-credential'),
    )
  })
})

describe.each([
  ['vp+jwt', presentVpJwt],
  ['a proof in it', presentDataIntegrity],
] as const)('a presentation as %s', (_name, present) => {
  const audience = 'https://verifier.example'
  const nonce = 'n-0S6_WzA2Mj'
  const holderDid = didJwkFor(holder.publicKey)

  const presented = async (changes: object = {}) =>
    present({
      ...{ holderDid, keyId: `${holderDid}#0`, signer: holder, audience, nonce, now },
      credentials: [
        await issueVcJwt({ ...issuance, keyId, signer: utility }),
        await issueDataIntegrity({ ...issuance, keyId, signer: utility }),
      ],
      ...changes,
    })
  const options = async () => {
    const documents = [await documentOf('utility'), await documentOf('stranger'), documentOfJwk(holderDid)]
    return { ...(await cityOptions()), resolveDid: resolverOver(documents), audience, nonce }
  }

  test('shows its holder and credentials that verify, whose subject is the holder', async () => {
    const { holder: who, credentials } = await authenticatePresentation(await presented(), await options())
    expect(who).toBe(holderDid)
    for (const one of credentials)
      expect(await verifyCredential(one, await cityOptions())).toMatchObject({ subject: holderDid })
    expect(credentials).toHaveLength(2)
  })

  test('of more credentials than anybody shows at once is refused', async () => {
    const credential = await issueVcJwt({ ...issuance, keyId, signer: utility })
    const many = await presented({ credentials: Array.from({ length: 17 }, () => credential) })
    await expect(authenticatePresentation(many, await options())).rejects.toThrow(refused('invalid-credential'))
  })

  test.each([
    ['for another verifier', {}, { audience: 'https://other.example' }, 'invalid-credential-signature'],
    ['for another request', {}, { nonce: 'other' }, 'invalid-nonce'],
    ['made too long ago', {}, { now: new Date(now.getTime() + 400_000) }, 'credential-expired|statement-expired'],
    ['from the future', { now: new Date(now.getTime() + 400_000) }, {}, 'credential-expired'],
    ['by a key that is not the holder’s', { signer: stranger }, {}, 'invalid-credential-signature'],
    ['in the name of somebody else', { holderDid: didOf('stranger') }, {}, 'invalid-credential-signature'],
    ['by a holder without a DID', { holderDid: 'https://holder.example' }, {}, 'invalid-credential'],
  ] as const)('%s is refused', async (_, changes, expected, code) => {
    const outcome = authenticatePresentation(await presented(changes), { ...(await options()), ...expected })
    await expect(outcome).rejects.toThrow(
      expect.objectContaining({ name: 'Problem', code: expect.stringMatching(`^(${code})$`) }),
    )
  })
})

function documentOfJwk(did: string): Record<string, unknown> {
  const method = {
    id: `${did}#0`,
    type: 'JsonWebKey2020',
    controller: did,
    publicKeyJwk: toPublicJwk(holder.publicKey),
  }
  return { id: did, verificationMethod: [method], authentication: [method.id], assertionMethod: [method.id] }
}

async function rekeyed(name: string, signer: Signer): Promise<{ documents: Record<string, unknown>[] }> {
  const id = didOf(name)
  const method = {
    id: `${id}#key-1`,
    type: 'JsonWebKey2020',
    controller: id,
    publicKeyJwk: toPublicJwk(signer.publicKey),
  }
  return {
    documents: [
      { id, verificationMethod: [method], assertionMethod: [method.id] },
      await documentOf('registrar'),
      await documentOf('authority'),
    ],
  }
}

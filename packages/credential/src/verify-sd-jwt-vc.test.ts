import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc'
import { fromBase64url, sha256, toBase64url, utf8 } from '@tillit/codec'
import { signJws, toPublicJwk, verifySignature } from '@tillit/keys'
import { Problem, type ProblemCode } from '@tillit/problem'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  accreditUtility,
  authorityDid,
  cityOptions,
  deflate,
  didOf,
  documentOf,
  entitlementClaims,
  issue,
  meteringPoint,
  now,
  organisationClaims,
  resolverOver,
  signerOf,
  statusUri,
  utilityDid,
} from '../test/city.ts'
import { presentSdJwtVc } from './present-sd-jwt-vc.ts'
import { encodeStatusList } from './status-list.ts'
import { signStatusList } from './status-list-token.ts'
import { verifyCredential } from './verify-credential.ts'
import { verifySdJwtVc } from './verify-sd-jwt-vc.ts'

const refused = (code: ProblemCode) => expect.objectContaining({ name: 'Problem', code })

/** Signs any payload as the named issuer: what a broken or hostile issuer could send. */
async function forge(issuer: string, payload: object, header: object = {}): Promise<string> {
  const full = { typ: 'dc+sd-jwt', kid: `${didOf(issuer)}#key-1`, ...header }
  return `${await signJws(full, payload, await signerOf(issuer))}~`
}

async function verifierOf(name: string) {
  const { publicKey } = await signerOf(name)
  return (data: string, signature: string) => verifySignature(publicKey, utf8(data), fromBase64url(signature))
}

async function payloadOf(issuer: string, changes: object = {}): Promise<object> {
  return {
    iss: didOf(issuer),
    iat: 1_793_491_200,
    vct: 'https://tillit.example/credentials/MeteringPointEntitlement',
    cnf: { jwk: toPublicJwk((await signerOf('holder')).publicKey) },
    status: { status_list: { idx: 7, uri: 'https://city.example/credentials/status-lists/1' } },
    ...entitlementClaims,
    ...changes,
  }
}

describe('a credential from an accredited issuer', () => {
  test('verifies up to the root and gives its claims and the key of its holder', async () => {
    const credential = await issue('utility', 'MeteringPointEntitlement', entitlementClaims)
    const verified = await verifySdJwtVc(credential, await cityOptions())
    expect(verified).toMatchObject({
      type: 'MeteringPointEntitlement',
      issuer: utilityDid,
      claims: entitlementClaims,
      holderJwk: toPublicJwk((await signerOf('holder')).publicKey),
      status: 'valid',
    })
  })

  test('hides the number of the metering point until its holder shows it', async () => {
    const credential = await issue('utility', 'MeteringPointEntitlement', entitlementClaims)
    const shown = await presentSdJwtVc(credential, { disclose: ['role'] })
    const { claims } = await verifySdJwtVc(shown, await cityOptions())
    expect(claims).toEqual({ metering_point: meteringPoint, role: 'holder' })
    const payload = new TextDecoder().decode(fromBase64url(shown.split('.')[1] ?? ''))
    expect(payload).not.toContain(entitlementClaims.gsrn)
  })

  test('also verifies with the public SD-JWT library, status list and all', async () => {
    const credential = await issue('utility', 'MeteringPointEntitlement', entitlementClaims)
    const token = await signStatusList({
      uri: statusUri,
      issuerDid: authorityDid,
      keyId: `${authorityDid}#key-1`,
      signer: await signerOf('authority'),
      list: encodeStatusList({ bits: 2, bytes: new Uint8Array(16) }, deflate),
      issuedAt: now,
      expires: new Date(now.getTime() + 60_000),
      ttlSeconds: 1,
    })
    const library = new SDJwtVcInstance({
      hasher: (data) => sha256(typeof data === 'string' ? utf8(data) : new Uint8Array(data)),
      verifier: await verifierOf('utility'),
      statusVerifier: await verifierOf('authority'),
      statusListFetcher: async () => token,
    })
    const { payload } = await library.verify(credential, { currentDate: now.getTime() / 1000 })
    expect(payload).toMatchObject(entitlementClaims)
  })

  test('fails after any single bit of it is flipped', async () => {
    const credential = await issue('utility', 'MeteringPointEntitlement', entitlementClaims)
    const options = await cityOptions()
    await fc.assert(
      fc.asyncProperty(fc.nat(credential.length - 1), fc.nat(6), async (position, bit) => {
        const flipped = String.fromCharCode(credential.charCodeAt(position) ^ (1 << bit))
        const changed = credential.slice(0, position) + flipped + credential.slice(position + 1)
        await expect(verifySdJwtVc(changed, options)).rejects.toThrow(expect.objectContaining({ name: 'Problem' }))
      }),
      { numRuns: 500 },
    )
  })

  test('verifies with any of its disclosures left out', async () => {
    const credential = await issue('utility', 'MeteringPointEntitlement', entitlementClaims)
    const options = await cityOptions()
    await fc.assert(
      fc.asyncProperty(fc.subarray(['gsrn', 'role', 'from'] as const), async (disclose) => {
        const { claims } = await verifySdJwtVc(await presentSdJwtVc(credential, { disclose }), options)
        expect(Object.keys(claims).sort()).toEqual([...disclose, 'metering_point'].sort())
      }),
    )
  })

  test('is refused with a disclosure that its issuer did not make', async () => {
    const credential = await issue('utility', 'MeteringPointEntitlement', entitlementClaims)
    const options = await cityOptions()
    const json = fc.oneof(fc.string(), fc.integer(), fc.boolean())
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.string(), json, async (salt, name, value) => {
        const foreign = toBase64url(utf8(JSON.stringify([salt, name, value])))
        await expect(verifySdJwtVc(`${credential}${foreign}~`, options)).rejects.toThrow(refused('invalid-credential'))
      }),
    )
  })

  test('is refused with one of its own disclosures sent twice', async () => {
    const credential = await issue('utility', 'MeteringPointEntitlement', entitlementClaims)
    const twice = `${credential}${credential.split('~')[1]}~`
    await expect(verifySdJwtVc(twice, await cityOptions())).rejects.toThrow(refused('invalid-credential'))
  })
})

describe('not authentic', () => {
  test('a key outside the assertion keys of the issuer is refused', async () => {
    const document = { ...(await documentOf('utility')), assertionMethod: [] }
    const options = await cityOptions({ resolveDid: resolverOver([document]) })
    const credential = await issue('utility', 'MeteringPointEntitlement', entitlementClaims)
    await expect(verifySdJwtVc(credential, options)).rejects.toThrow(refused('invalid-credential-signature'))
  })

  test('a key identifier of another DID is refused', async () => {
    const credential = await issue('stranger', 'MeteringPointEntitlement', entitlementClaims, { issuerDid: utilityDid })
    await expect(verifySdJwtVc(credential, await cityOptions())).rejects.toThrow(
      refused('invalid-credential-signature'),
    )
  })

  test('a small-order issuer key is refused although it verifies any message', async () => {
    const document = await documentOf('utility')
    const weak = { kty: 'OKP', crv: 'Ed25519', x: toBase64url(Uint8Array.of(1, ...new Uint8Array(31))) }
    const method = { id: `${utilityDid}#key-1`, type: 'JsonWebKey2020', controller: utilityDid, publicKeyJwk: weak }
    const options = await cityOptions({ resolveDid: resolverOver([{ ...document, verificationMethod: [method] }]) })
    const credential = await issue('utility', 'MeteringPointEntitlement', entitlementClaims)
    await expect(verifySdJwtVc(credential, options)).rejects.toThrow(refused('weak-key'))
  })

  test('a small-order holder key is refused at issue and at verification', async () => {
    const weak = { kty: 'OKP', crv: 'Ed25519', x: toBase64url(Uint8Array.of(1, ...new Uint8Array(31))) } as const
    const issued = issue('utility', 'MeteringPointEntitlement', entitlementClaims, { holderJwk: weak })
    await expect(issued).rejects.toThrow(refused('weak-key'))
    const forged = await forge('utility', await payloadOf('utility', { cnf: { jwk: weak } }))
    await expect(verifySdJwtVc(forged, await cityOptions())).rejects.toThrow(refused('weak-key'))
  })

  test.each([
    ['a foreign media type', {}, { typ: 'vc+sd-jwt' }, 'invalid-credential'],
    ['no algorithm', {}, { alg: 'none' }, 'unsupported-algorithm'],
    ['a critical extension', {}, { crit: ['b64'] }, 'invalid-credential'],
    ['an unknown type', { vct: 'https://tillit.example/credentials/constructor' }, {}, 'unknown-credential-type'],
    ['a claim that the type does not have', { nickname: 'x' }, {}, 'invalid-credential'],
    ['an issue time in the future', { iat: 1_893_456_000 }, {}, 'credential-expired'],
    ['an expiry of zero', { exp: 0 }, {}, 'credential-expired'],
    ['a time that is text', { exp: '2030' }, {}, 'invalid-credential'],
    ['no status', { status: undefined }, {}, 'status-unknown'],
    ['a weak digest', { _sd_alg: 'md5' }, {}, 'invalid-credential'],
  ] as const)('%s is refused', async (_, claims, header, code) => {
    const full = { typ: 'dc+sd-jwt', kid: `${utilityDid}#key-1`, alg: 'EdDSA', ...header }
    const input = `${toBase64url(utf8(JSON.stringify(full)))}.${toBase64url(
      utf8(JSON.stringify(await payloadOf('utility', claims))),
    )}`
    const signature = toBase64url(await (await signerOf('utility')).sign(utf8(input)))
    await expect(verifySdJwtVc(`${input}.${signature}~`, await cityOptions())).rejects.toThrow(refused(code))
  })

  test.each([
    ['iss', utilityDid],
    ['iat', 1_790_000_000],
    ['nbf', 1],
    ['exp', 2_000_000_000],
    ['cnf', {}],
    ['vct', 'https://tillit.example/credentials/MeteringPointEntitlement'],
    ['status', {}],
  ] as const)('%s that is disclosed selectively is refused', async (name, value) => {
    const disclosure = toBase64url(utf8(JSON.stringify(['salt', name, value])))
    const digest = toBase64url(sha256(utf8(disclosure)))
    const rest = Object.fromEntries(Object.entries(await payloadOf('utility')).filter(([member]) => member !== name))
    const forged = await forge('utility', { ...rest, _sd: [digest] })
    await expect(verifySdJwtVc(`${forged}${disclosure}~`, await cityOptions())).rejects.toThrow(
      refused('invalid-credential'),
    )
  })

  test('an expired credential is refused at the second of its expiry', async () => {
    const expires = new Date('2026-11-20T00:00:00Z')
    const credential = await issue('utility', 'MeteringPointEntitlement', entitlementClaims, { expires })
    await expect(verifySdJwtVc(credential, await cityOptions({ now: expires }))).rejects.toThrow(
      refused('credential-expired'),
    )
    const before = new Date(expires.getTime() - 1)
    expect(await verifySdJwtVc(credential, await cityOptions({ now: before }))).toMatchObject({ status: 'valid' })
  })
})

describe('not allowed', () => {
  test.each(['revoked', 'suspended'] as const)('a %s credential is refused', async (status) => {
    const credential = await issue('utility', 'MeteringPointEntitlement', entitlementClaims)
    const options = await cityOptions({ statuses: { 7: status } })
    await expect(verifySdJwtVc(credential, options)).rejects.toThrow(refused('credential-revoked'))
  })

  test('a status that cannot be read is refused', async () => {
    const credential = await issue('utility', 'MeteringPointEntitlement', entitlementClaims, {
      status: { idx: 7, uri: 'https://elsewhere.example/list' },
    })
    await expect(verifySdJwtVc(credential, await cityOptions())).rejects.toThrow(refused('status-unknown'))
  })

  test.each([
    ['out of reach', new Problem('database-unavailable')],
    ['asked too often', new Problem('too-many-requests')],
    ['broken in a way that nobody expected', new Error('gone')],
  ])('a register of statuses that is %s says nothing of the credential', async (_name, fault) => {
    const credential = await issue('utility', 'MeteringPointEntitlement', entitlementClaims)
    const failsAt = (failing: number) => async (_uri: string, idx: number) => {
      if (idx === failing) throw fault
      return 'valid' as const
    }
    // 7 is the credential's own index, 1 that of the accreditation of its issuer.
    for (const failing of [7, 1]) {
      const options = await cityOptions({ status: failsAt(failing) })
      await expect(verifySdJwtVc(credential, options)).rejects.toBe(fault)
    }
  })

  test('a history of keys that cannot be had now says nothing of a signature', async () => {
    const credential = await issue('utility', 'MeteringPointEntitlement', entitlementClaims)
    const fault = new Problem('too-many-requests')
    const rotated = JSON.parse(JSON.stringify(await documentOf('stranger')).replaceAll(didOf('stranger'), utilityDid))
    const resolveNow = resolverOver([rotated])
    const options = await cityOptions({
      resolveDid: async (did, { versionTime } = {}) => {
        if (versionTime !== undefined) throw fault
        return resolveNow(did)
      },
    })
    await expect(verifySdJwtVc(credential, options)).rejects.toBe(fault)
  })

  test('nobody is asked for the status of what comes from a stranger', async () => {
    const status = { idx: 7, uri: 'https://inside.example/admin' }
    const credential = await issue('stranger', 'MeteringPointEntitlement', entitlementClaims, { status })
    const asked: string[] = []
    const options = await cityOptions({
      status: async (uri) => {
        asked.push(uri)
        return 'valid'
      },
    })
    for (const verify of [verifySdJwtVc, verifyCredential])
      await expect(verify(credential, options)).rejects.toThrow(refused('untrusted-issuer'))
    expect(asked).toEqual([])
  })

  test('an issuer without accreditation is refused', async () => {
    const credential = await issue('stranger', 'MeteringPointEntitlement', entitlementClaims)
    await expect(verifySdJwtVc(credential, await cityOptions())).rejects.toThrow(refused('untrusted-issuer'))
  })

  test('an issuer whose accreditation is suspended is refused', async () => {
    const credential = await issue('utility', 'MeteringPointEntitlement', entitlementClaims)
    const options = await cityOptions({ statuses: { 1: 'suspended' } })
    await expect(verifySdJwtVc(credential, options)).rejects.toThrow(refused('untrusted-issuer'))
  })

  test.each([
    ['was signed by a forged root', { issuerDid: didOf('stranger'), keyId: `${didOf('stranger')}#key-1` }, {}],
    ['is that of another organisation', { subjectDid: didOf('stranger') }, {}],
    ['names no organisation', { subjectDid: undefined }, {}],
    ['does not make it a utility', {}, { roles: ['eligible_party'] }],
    ['has expired', { expires: new Date('2026-11-02T00:00:00Z') }, {}],
  ])('an issuer whose accreditation %s is refused', async (_, changes, claims) => {
    const issuer = 'issuerDid' in changes ? 'stranger' : 'registrar'
    const { subjectDid = utilityDid, ...rest } = changes as { subjectDid?: string }
    const named = 'subjectDid' in changes && changes.subjectDid === undefined ? {} : { subjectDid }
    const accreditation = await issue(
      issuer,
      'OrganisationCredential',
      { ...organisationClaims, ...claims },
      { status: { idx: 1, uri: 'https://city.example/credentials/status-lists/1' }, ...named, ...rest },
    )
    const credential = await issue('utility', 'MeteringPointEntitlement', entitlementClaims)
    await expect(verifySdJwtVc(credential, await cityOptions({ accreditation }))).rejects.toThrow(
      refused('untrusted-issuer'),
    )
  })

  test('a utility cannot accredit another organisation', async () => {
    const credential = await issue('utility', 'OrganisationCredential', organisationClaims)
    await expect(verifySdJwtVc(credential, await cityOptions())).rejects.toThrow(refused('untrusted-issuer'))
  })

  test('only the authority issues receipts', async () => {
    const claims = {
      record_id: 'perm_AAAAAAAAAAAAAAAAAAAAAA',
      enforced_at: '2026-11-22T12:00:00Z',
      statement_sha256: 'abc',
      recipients_told: [],
    }
    const genuine = await issue('authority', 'RevocationReceipt', claims)
    expect(await verifySdJwtVc(genuine, await cityOptions())).toMatchObject({ issuer: authorityDid })
    const forged = await issue('utility', 'RevocationReceipt', claims)
    await expect(verifySdJwtVc(forged, await cityOptions())).rejects.toThrow(refused('untrusted-issuer'))
  })

  test('an accreditation verifies by itself', async () => {
    const verified = await verifySdJwtVc(await accreditUtility(), await cityOptions())
    expect(verified).toMatchObject({ type: 'OrganisationCredential', subject: utilityDid, claims: organisationClaims })
  })
})

describe('key binding', () => {
  const audience = 'https://verifier.example'
  const nonce = 'n-0S6_WzA2Mj'
  const issuedAt = new Date('2026-11-22T11:59:00Z')

  async function presentation(changes: { by?: string; audience?: string; nonce?: string; issuedAt?: Date } = {}) {
    const credential = await issue('utility', 'MeteringPointEntitlement', entitlementClaims)
    const signer = await signerOf(changes.by ?? 'holder')
    return presentSdJwtVc(credential, {
      disclose: ['gsrn'],
      keyBinding: { audience, nonce, issuedAt, ...changes, signer },
    })
  }

  test('by the holder, for this verifier and nonce, verifies', async () => {
    const options = await cityOptions({ keyBinding: { audience, nonce } })
    expect(await verifySdJwtVc(await presentation(), options)).toMatchObject({ status: 'valid' })
  })

  test.each([
    ['by another key', { by: 'stranger' }, 'invalid-credential-signature'],
    ['for another verifier', { audience: 'https://other.example' }, 'invalid-credential-signature'],
    ['with another nonce', { nonce: 'other' }, 'invalid-nonce'],
    ['from yesterday', { issuedAt: new Date('2026-11-21T12:00:00Z') }, 'statement-expired'],
  ] as const)('%s is refused', async (_, changes, code) => {
    const options = await cityOptions({ keyBinding: { audience, nonce } })
    await expect(verifySdJwtVc(await presentation(changes), options)).rejects.toThrow(refused(code))
  })

  test('with a disclosure taken away afterwards is refused', async () => {
    const options = await cityOptions({ keyBinding: { audience, nonce } })
    const [jwt, , binding] = (await presentation()).split('~')
    await expect(verifySdJwtVc(`${jwt}~${binding}`, options)).rejects.toThrow(refused('invalid-credential-signature'))
  })

  test('that is missing is refused when one is needed', async () => {
    const options = await cityOptions({ keyBinding: { audience, nonce } })
    const credential = await issue('utility', 'MeteringPointEntitlement', entitlementClaims)
    await expect(verifySdJwtVc(credential, options)).rejects.toThrow(refused('invalid-credential-signature'))
  })
})

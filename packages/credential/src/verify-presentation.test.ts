import { sha256, toBase64url, utf8 } from '@tillit/codec'
import { signJws } from '@tillit/keys'
import type { ProblemCode } from '@tillit/problem'
import type { DcqlQuery } from '@tillit/schemas'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  cityOptions,
  entitlementClaims,
  issue,
  meteringPoint,
  now,
  organisationClaims,
  signerOf,
  utilityDid,
} from '../test/city.ts'
import { presentSdJwtVc } from './present-sd-jwt-vc.ts'
import { type PresentationVerification, verifyPresentation } from './verify-presentation.ts'
import { checkDcqlQuery } from './verify-presentation-query.ts'

const audience = 'decentralized_identifier:did:web:verifier.example'
const nonce = 'n-of-this-request'
const entitlementVct = 'https://tillit.example/credentials/MeteringPointEntitlement'
const organisationVct = 'https://tillit.example/credentials/OrganisationCredential'

const refused = (code: ProblemCode, detail?: string | RegExp) =>
  expect.objectContaining({
    name: 'Problem',
    code,
    ...(detail === undefined ? {} : { message: expect.stringMatching(detail) }),
  })

const entitlementQuery = { id: 'entitlement', format: 'dc+sd-jwt' as const, meta: { vct_values: [entitlementVct] } }
const point = { path: ['metering_point'], values: [meteringPoint] }
const mayAct: DcqlQuery = { credentials: [{ ...entitlementQuery, claims: [point] }] }

function entitlement(): Promise<string> {
  return issue('utility', 'MeteringPointEntitlement', entitlementClaims)
}

/** A presentation whose key binding says whatever a careless or hostile wallet could say. */
async function present(
  credential: string,
  {
    disclose = [],
    binding = {},
    header = {},
    signer = 'holder',
  }: { disclose?: string[]; binding?: object; header?: object; signer?: string } = {},
): Promise<string> {
  const shown = await presentSdJwtVc(credential, { disclose })
  const payload = {
    aud: audience,
    nonce,
    iat: now.getTime() / 1000,
    sd_hash: toBase64url(sha256(utf8(shown))),
    ...binding,
  }
  return shown + (await signJws({ typ: 'kb+jwt', ...header }, payload, await signerOf(signer)))
}

async function verify(vpToken: unknown, changes: Partial<PresentationVerification> = {}) {
  return verifyPresentation(vpToken, { ...(await cityOptions()), query: mayAct, audience, nonce, ...changes })
}

describe('a presentation that was asked for', () => {
  test('proves that somebody may act for a metering point, and gives nothing else about them', async () => {
    const [proven, ...more] = await verify({ entitlement: [await present(await entitlement())] })
    expect(proven).toMatchObject({ query: 'entitlement', asked: { metering_point: meteringPoint }, transactions: [] })
    expect(Object.keys(proven?.asked ?? {})).toEqual(['metering_point'])
    expect(proven?.credential).toMatchObject({ type: 'MeteringPointEntitlement', issuer: utilityDid, status: 'valid' })
    expect(more).toEqual([])
  })

  test('gives the claims that were asked for and disclosed', async () => {
    const query = { credentials: [{ ...entitlementQuery, claims: [{ path: ['role'] }, { path: ['from'] }] }] }
    const [proven] = await verify(
      { entitlement: [await present(await entitlement(), { disclose: ['role', 'from'] })] },
      { query },
    )
    expect(proven?.asked).toEqual({ role: 'holder', from: entitlementClaims.from })
  })

  test('takes the first claim set that the wallet could satisfy', async () => {
    const query: DcqlQuery = {
      credentials: [
        {
          ...entitlementQuery,
          claims: [
            { id: 'number', path: ['gsrn'] },
            { id: 'role', path: ['role'] },
          ],
          claim_sets: [['number'], ['role']],
        },
      ],
    }
    const credential = await entitlement()
    const withRole = await present(credential, { disclose: ['role'] })
    expect((await verify({ entitlement: [withRole] }, { query }))[0]?.asked).toEqual({ role: 'holder' })
    const withBoth = await present(credential, { disclose: ['role', 'gsrn'] })
    await expect(verify({ entitlement: [withBoth] }, { query })).rejects.toThrow(
      refused('invalid-presentation', /not asked for/),
    )
  })

  test('may be any of the alternatives of a credential set, and several where several were asked for', async () => {
    const query: DcqlQuery = {
      credentials: [
        { ...entitlementQuery, multiple: true, claims: [{ path: ['metering_point'] }] },
        { id: 'organisation', format: 'dc+sd-jwt', meta: { vct_values: [organisationVct] } },
      ],
      credential_sets: [{ options: [['organisation'], ['entitlement']] }],
    }
    const other = await issue('utility', 'MeteringPointEntitlement', { ...entitlementClaims, role: 'co-occupant' })
    const proven = await verify({ entitlement: [await present(await entitlement()), await present(other)] }, { query })
    expect(proven.map(({ query: id }) => id)).toEqual(['entitlement', 'entitlement'])
    await expect(verify({}, { query })).rejects.toThrow(refused('invalid-presentation', /Not all/))
  })
})

describe('a VP Token of another form', () => {
  test.each([
    ['text', 'eyJ'],
    ['nothing', null],
    ['a list', []],
    ['a presentation outside a list', { entitlement: 'eyJ' }],
    ['an empty list', { entitlement: [] }],
    ['an object for a presentation', { entitlement: [{}] }],
    ['an answer to another query', { other: ['eyJ'] }],
  ])('is refused: %s', async (_name, vpToken) => {
    await expect(verify(vpToken)).rejects.toThrow(refused('invalid-presentation'))
  })

  test.each(['constructor', '__proto__', 'toString'])(
    'is never taken for an answer to a query that has the name %s of what every object has',
    async (id) => {
      const query: DcqlQuery = { credentials: [{ ...entitlementQuery, id, claims: [point] }] }
      const token = Object.fromEntries([[id, [await present(await entitlement())]]])
      await expect(verify(token, { query })).rejects.toThrow(refused('invalid-request'))
      await expect(verify(token)).rejects.toThrow(refused('invalid-presentation'))
    },
  )

  test('is refused when it holds two presentations where one was asked for', async () => {
    const presentation = await present(await entitlement())
    await expect(verify({ entitlement: [presentation, presentation] })).rejects.toThrow(
      refused('invalid-presentation', /not several/),
    )
  })

  test('is refused when a credential is missing', async () => {
    await expect(verify({})).rejects.toThrow(refused('invalid-presentation', /Not all/))
  })
})

describe('the holder’s proof', () => {
  const late = now.getTime() / 1000 - 301
  const early = now.getTime() / 1000 + 61
  test.each<[string, Parameters<typeof present>[1], ProblemCode]>([
    ['signed by another key', { signer: 'stranger' }, 'invalid-credential-signature'],
    ['for another verifier', { binding: { aud: 'did:web:other.example' } }, 'invalid-credential-signature'],
    [
      'for the verifier without its prefix',
      { binding: { aud: 'did:web:verifier.example' } },
      'invalid-credential-signature',
    ],
    ['for several verifiers', { binding: { aud: [audience] } }, 'invalid-credential-signature'],
    ['for another request', { binding: { nonce: 'another' } }, 'invalid-nonce'],
    ['without a nonce', { binding: { nonce: undefined } }, 'invalid-nonce'],
    [
      'for other disclosures',
      { binding: { sd_hash: toBase64url(sha256(utf8('other'))) } },
      'invalid-credential-signature',
    ],
    ['too old', { binding: { iat: late } }, 'statement-expired'],
    ['from the future', { binding: { iat: early } }, 'statement-expired'],
    ['without a time', { binding: { iat: undefined } }, 'invalid-credential'],
    ['of another type', { header: { typ: 'JWT' } }, 'invalid-credential'],
    ['by no algorithm', { header: { alg: 'none' } }, 'unsupported-algorithm'],
  ])('is refused when it is %s', async (name, changes, code) => {
    const presentation = await present(await entitlement(), changes)
    // signJws names the algorithm of the key, so another one is put in afterwards.
    const sent = name === 'by no algorithm' ? withoutAlgorithm(presentation) : presentation
    await expect(verify({ entitlement: [sent] })).rejects.toThrow(refused(code))
  })

  test('is refused when it is not there', async () => {
    const bare = await presentSdJwtVc(await entitlement(), { disclose: [] })
    await expect(verify({ entitlement: [bare] })).rejects.toThrow(refused('invalid-credential-signature'))
  })

  test('is accepted up to its age and a little ahead of our clock', async () => {
    const seconds = now.getTime() / 1000
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: seconds - 300, max: seconds + 60 }), async (iat) => {
        const presentation = await present(await entitlement(), { binding: { iat } })
        expect(await verify({ entitlement: [presentation] })).toHaveLength(1)
      }),
      { numRuns: 20 },
    )
  })

  test('binds every character of what is presented', async () => {
    const presentation = await present(await entitlement(), { disclose: ['role'] })
    const query = { credentials: [{ ...entitlementQuery, claims: [{ path: ['role'] }] }] }
    await fc.assert(
      fc.asyncProperty(fc.nat(presentation.length - 1), fc.nat(6), async (position, bit) => {
        const flipped = String.fromCharCode(presentation.charCodeAt(position) ^ (1 << bit))
        const changed = presentation.slice(0, position) + flipped + presentation.slice(position + 1)
        await expect(verify({ entitlement: [changed] }, { query })).rejects.toThrow(
          expect.objectContaining({ name: 'Problem' }),
        )
      }),
      { numRuns: 200 },
    )
  })
})

describe('a presented credential', () => {
  test('is refused when its issuer did not sign it', async () => {
    const forged = await issue('utility', 'MeteringPointEntitlement', entitlementClaims, {
      signer: await signerOf('stranger'),
    })
    await expect(verify({ entitlement: [await present(forged)] })).rejects.toThrow(
      refused('invalid-credential-signature'),
    )
  })

  test('is refused when its issuer is not accredited, or it is revoked, suspended, expired', async () => {
    const stranger = await issue('stranger', 'MeteringPointEntitlement', entitlementClaims)
    await expect(verify({ entitlement: [await present(stranger)] })).rejects.toThrow(refused('untrusted-issuer'))
    const presentation = await present(await entitlement())
    for (const status of ['revoked', 'suspended'] as const) {
      const options = await cityOptions({ statuses: { 7: status } })
      await expect(verify({ entitlement: [presentation] }, options)).rejects.toThrow(refused('credential-revoked'))
    }
    const expired = await issue('utility', 'MeteringPointEntitlement', entitlementClaims, { expires: now })
    await expect(verify({ entitlement: [await present(expired)] })).rejects.toThrow(refused('credential-expired'))
  })

  test('is refused when it is of another type, or its claims have other values', async () => {
    const organisation = await issue('registrar', 'OrganisationCredential', organisationClaims)
    await expect(verify({ entitlement: [await present(organisation)] })).rejects.toThrow(
      refused('invalid-presentation', /not of the type/),
    )
    const elsewhere = await issue('utility', 'MeteringPointEntitlement', {
      ...entitlementClaims,
      metering_point: 'mp_BBBBBBBBBBBBBBBBBBBBBB',
    })
    await expect(verify({ entitlement: [await present(elsewhere)] })).rejects.toThrow(refused('invalid-presentation'))
  })

  test('is refused when it lacks a claim that was asked for', async () => {
    const query = { credentials: [{ ...entitlementQuery, claims: [{ path: ['role'] }] }] }
    await expect(verify({ entitlement: [await present(await entitlement())] }, { query })).rejects.toThrow(
      refused('invalid-presentation', /lacks the claims/),
    )
  })

  test('is refused when any claim is disclosed that was not asked for', async () => {
    const credential = await entitlement()
    await fc.assert(
      fc.asyncProperty(fc.subarray(['gsrn', 'role', 'from'], { minLength: 1 }), async (disclose) => {
        await expect(verify({ entitlement: [await present(credential, { disclose })] })).rejects.toThrow(
          refused('invalid-presentation', /not asked for/),
        )
      }),
      { numRuns: 10 },
    )
  })
})

describe('transaction data', () => {
  const entry = (changes: object = {}) =>
    toBase64url(
      utf8(
        JSON.stringify({
          type: 'https://tillit.example/transactions/consent',
          credential_ids: ['entitlement'],
          transaction_data_hashes_alg: ['sha-256'],
          scope: { purpose: 'energy-advice' },
          ...changes,
        }),
      ),
    )
  const hashOf = (encoded: string) => toBase64url(sha256(utf8(encoded)))
  const signed = (hashes: unknown, algorithm: unknown = 'sha-256') => ({
    binding: { transaction_data_hashes: hashes, transaction_data_hashes_alg: algorithm },
  })

  const both = [entry(), entry({ scope: {} })]
  const bothHashes = both.map(hashOf)

  test('is authorised by the key binding that signs its hash', async () => {
    const presentation = await present(await entitlement(), signed(bothHashes))
    const [proven] = await verify({ entitlement: [presentation] }, { transactionData: both })
    expect(proven).toMatchObject({ transactions: [0, 1], presentation })
  })

  test.each<[string, object]>([
    ['is not signed', {}],
    ['is signed in part', signed([hashOf(entry())])],
    ['is signed together with one that was not asked for', signed([...bothHashes, 'x'])],
    ['is signed as no list', signed(hashOf(entry()))],
    ['is signed by another hash function', signed(bothHashes, 'sha-512')],
    ['is signed without naming the hash function', { binding: { transaction_data_hashes: bothHashes } }],
  ])('makes the presentation fail when it %s', async (_name, changes) => {
    const presentation = await present(await entitlement(), changes)
    await expect(verify({ entitlement: [presentation] }, { transactionData: both })).rejects.toThrow(
      refused('invalid-presentation'),
    )
  })

  test('fails when nothing of the kind was asked for', async () => {
    const presentation = await present(await entitlement(), signed([hashOf(entry())]))
    await expect(verify({ entitlement: [presentation] })).rejects.toThrow(refused('invalid-presentation'))
  })

  test('is authorised only by a credential that it names', async () => {
    const transactionData = [entry({ credential_ids: ['organisation'] })]
    const presentation = await present(await entitlement(), signed(transactionData.map(hashOf)))
    await expect(verify({ entitlement: [presentation] }, { transactionData })).rejects.toThrow(
      refused('invalid-presentation'),
    )
  })
})

describe('a query', () => {
  const claims = [
    { id: 'a', path: ['role'] },
    { id: 'b', path: ['from'] },
  ]
  test.each<[string, DcqlQuery]>([
    ['ids stand twice', { credentials: [entitlementQuery, entitlementQuery] }],
    ['a claim set names no claim', { credentials: [{ ...entitlementQuery, claims, claim_sets: [['c']] }] }],
    [
      'a claim stands twice',
      { credentials: [{ ...entitlementQuery, claims: [...claims, { id: 'c', path: ['role'] }] }] },
    ],
    [
      'a credential set names no credential',
      { credentials: [entitlementQuery], credential_sets: [{ options: [['other']] }] },
    ],
    ['an id is a name that every object has', { credentials: [{ ...entitlementQuery, id: 'constructor' }] }],
    ['an id is that of the prototype', { credentials: [{ ...entitlementQuery, id: '__proto__' }] }],
    ['a path leads into the prototype', { credentials: [{ ...entitlementQuery, claims: [{ path: ['__proto__'] }] }] }],
    [
      'a path leads to what every object has',
      { credentials: [{ ...entitlementQuery, claims: [{ path: ['role', 'constructor'] }] }] },
    ],
  ])('is refused when %s', (_name, query) => {
    expect(() => checkDcqlQuery(query)).toThrow(refused('invalid-request'))
  })

  test('is accepted as the specification has it', () => {
    expect(() =>
      checkDcqlQuery({ credentials: [{ ...entitlementQuery, claims, claim_sets: [['a'], ['b']] }] }),
    ).not.toThrow()
  })
})

function withoutAlgorithm(presentation: string): string {
  const end = presentation.lastIndexOf('~') + 1
  const [, payload = ''] = presentation.slice(end).split('.')
  const header = toBase64url(utf8(JSON.stringify({ typ: 'kb+jwt', alg: 'none' })))
  return `${presentation.slice(0, end)}${header}.${payload}.AAAA`
}

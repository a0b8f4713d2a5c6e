import { type DcqlCredential, DcqlQuery as Oracle } from 'dcql'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { entitlementClaims, issue, meteringPoint, now, organisationClaims } from '../../../credential/test/city.ts'
import { parseDcqlQuery } from './dcql-query.ts'
import { type Candidate, matchCredentials, queriesToAnswer } from './match-credentials.ts'
import type { HeldCredential } from './wallet-store.ts'

const entitlementVct = 'https://tillit.example/credentials/MeteringPointEntitlement'
const organisationVct = 'https://tillit.example/credentials/OrganisationCredential'

let entitlement: HeldCredential
let organisation: HeldCredential
beforeAll(async () => {
  entitlement = held('entitlement', await issue('utility', 'MeteringPointEntitlement', entitlementClaims))
  organisation = held('organisation', await issue('registrar', 'OrganisationCredential', organisationClaims))
})

function held(id: string, credential: string, receivedAt = '2026-11-22T12:00:00.000Z'): HeldCredential {
  return {
    ...{ id, format: 'dc+sd-jwt', credential, keyId: 'key', credentialIssuer: 'https://city.example' },
    ...{ configurationId: id, receivedAt },
  }
}

function queryFor(changes: Record<string, unknown> = {}) {
  return { id: 'entitlement', format: 'dc+sd-jwt', meta: { vct_values: [entitlementVct] }, ...changes }
}

function match(credentials: Record<string, unknown>[]): Map<string, readonly Candidate[]> {
  return new Map(matchCredentials(parseDcqlQuery({ credentials } as never), [entitlement, organisation], now))
}
const first = (changes: Record<string, unknown>) => match([queryFor(changes)]).get('entitlement')?.[0] ?? null

describe('what would be shown', () => {
  test('nothing that can be left out is shown when no claim is asked for', () => {
    expect(first({})).toMatchObject({ held: { id: 'entitlement' }, disclosed: [], asked: [] })
  })

  test('only the disclosure of the claim that is asked for is shown', () => {
    const candidate = first({ claims: [{ path: ['role'] }] })
    expect(candidate).toMatchObject({ disclosed: ['role'], asked: [{ path: ['role'], value: 'holder' }] })
    expect(candidate?.visible).toHaveProperty('role')
    expect(candidate?.visible).not.toHaveProperty('gsrn')
  })

  test('a claim that is always visible costs no disclosure', () => {
    const candidate = first({ claims: [{ path: ['metering_point'], values: [meteringPoint] }] })
    expect(candidate?.asked).toEqual([{ path: ['metering_point'], value: meteringPoint }])
  })

  test('the first set of claims that the credential has is taken', () => {
    const claims = [
      { id: 'a', path: ['birthday'] },
      { id: 'b', path: ['gsrn'] },
      { id: 'c', path: ['role'] },
    ]
    expect(first({ claims, claim_sets: [['a'], ['c'], ['b', 'c']] })?.disclosed).toEqual(['role'])
  })
})

test.each([
  ['another type', { meta: { vct_values: [organisationVct] }, id: 'entitlement', claims: [{ path: ['gsrn'] }] }],
  ['no type at all', { meta: {} }],
  ['another format', { format: 'mso_mdoc' }],
  ['a claim that it does not have', { claims: [{ path: ['birthday'] }] }],
  ['another value', { claims: [{ path: ['role'], values: ['co-occupant'] }] }],
  ['a number where it has text', { claims: [{ path: ['role'], values: [1] }] }],
  ['an element of something that is no list', { claims: [{ path: ['role', 0] }] }],
  ['a member of the prototype', { claims: [{ path: ['constructor'] }] }],
])('a credential does not answer a query for %s', (_what, changes) => {
  expect(first(changes)).toBeNull()
})

test('a credential that has expired answers nothing', () => {
  const query = parseDcqlQuery({ credentials: [queryFor()] })
  const [last, end] = [new Date('2027-10-31T23:59:59Z'), new Date('2027-11-01T00:00:00Z')]
  expect(matchCredentials(query, [entitlement], last).get('entitlement')).toHaveLength(1)
  expect(matchCredentials(query, [entitlement], end).get('entitlement')).toEqual([])
})

test('elements of lists are found by index, and all of them by null', () => {
  const of = (path: unknown[], values?: string[]) =>
    match([
      {
        id: 'o',
        format: 'dc+sd-jwt',
        meta: { vct_values: [organisationVct] },
        claims: [{ path, ...(values && { values }) }],
      },
    ]).get('o')?.[0]?.asked[0]?.value
  expect(of(['roles', 0])).toBe('utility')
  expect(of(['roles', null])).toBe('utility')
  expect(of(['roles', null], ['utility'])).toBe('utility')
  expect(of(['roles', 1])).toBeUndefined()
})

test('the newest of several credentials is proposed first', async () => {
  const newer = held('newer', entitlement.credential, '2026-11-23T12:00:00.000Z')
  const query = parseDcqlQuery({ credentials: [queryFor()] })
  const found = matchCredentials(query, [entitlement, newer], now).get('entitlement') ?? []
  expect(found.map(({ held }) => held.id)).toEqual(['newer', 'entitlement'])
})

describe('sets of credentials', () => {
  const credentials = [
    queryFor(),
    { id: 'organisation', format: 'dc+sd-jwt', meta: { vct_values: [organisationVct] } },
    { id: 'passport', format: 'dc+sd-jwt', meta: { vct_values: ['https://state.example/passport'] } },
  ]
  const answered = (sets: unknown, optional?: number[]) => {
    const query = parseDcqlQuery({ credentials, ...(sets === null ? {} : { credential_sets: sets }) } as never)
    return queriesToAnswer(query, matchCredentials(query, [entitlement, organisation], now), optional)
  }

  test('without sets every query has to be answered', () => {
    expect(() => answered(null)).toThrow(expect.objectContaining({ code: 'credential-not-held', pointer: '/passport' }))
  })

  test('the first option that the wallet can meet is taken', () => {
    expect(answered([{ options: [['passport'], ['organisation'], ['entitlement']] }])).toEqual(['organisation'])
  })

  test('an option counts only whole', () => {
    expect(answered([{ options: [['passport', 'organisation'], ['entitlement']] }])).toEqual(['entitlement'])
  })

  test('what is optional is not told unless it was chosen', () => {
    const sets = [{ options: [['entitlement']] }, { options: [['organisation']], required: false }]
    expect(answered(sets)).toEqual(['entitlement'])
    expect(answered(sets, [1])).toEqual(['entitlement', 'organisation'])
  })

  test('a required set that cannot be met ends it', () => {
    expect(() => answered([{ options: [['passport']] }])).toThrow(
      expect.objectContaining({ code: 'credential-not-held' }),
    )
  })
})

test.each([
  ['no object', 'all of it'],
  ['no queries', { credentials: [] }],
  ['an id twice', { credentials: [queryFor(), queryFor()] }],
  ['an id with other signs', { credentials: [queryFor({ id: '../x' })] }],
  ['a path to nowhere', { credentials: [queryFor({ claims: [{ path: [] }] })] }],
  ['a path that begins with an index', { credentials: [queryFor({ claims: [{ path: [0] }] })] }],
  ['a path with a fraction', { credentials: [queryFor({ claims: [{ path: ['roles', 0.5] }] })] }],
  [
    'a claim set with an unknown id',
    { credentials: [queryFor({ claims: [{ id: 'a', path: ['gsrn'] }], claim_sets: [['b']] })] },
  ],
  ['a credential set with an unknown id', { credentials: [queryFor()], credential_sets: [{ options: [['other']] }] }],
  ['no proof by the holder', { credentials: [queryFor({ require_cryptographic_holder_binding: false })] }],
  [
    'authorities that cannot be compared',
    { credentials: [queryFor({ trusted_authorities: [{ type: 'aki', values: ['x'] }] })] },
  ],
  [
    'more queries than any wallet answers',
    { credentials: Array.from({ length: 33 }, (_, i) => queryFor({ id: `q${i}` })) },
  ],
])('a query with %s is refused', (_what, query) => {
  expect(() => parseDcqlQuery(query as never)).toThrow(
    expect.objectContaining({ code: 'invalid-presentation-request' }),
  )
})

test('the wallet and the dcql library agree on which queries a credential answers, and with which claims', () => {
  const paths = fc.constantFrom(['gsrn'], ['role'], ['metering_point'], ['from'], ['birthday'], ['role', 'x'], ['iss'])
  const claim = fc.record({
    path: paths,
    values: fc.option(fc.subarray(['holder', meteringPoint, 'other'], { minLength: 1 }), { nil: undefined }),
  })
  const claims = fc.uniqueArray(claim, { minLength: 1, maxLength: 4, selector: ({ path }) => path.join() })
  const query = claims.chain((list) => {
    const ids = list.map((_, index) => `c${index}`)
    const sets = fc.option(fc.array(fc.subarray(ids, { minLength: 1 }), { minLength: 1, maxLength: 3 }), {
      nil: undefined,
    })
    return sets.map((claimSets) => ({
      ...queryFor({ meta: { vct_values: [entitlementVct] } }),
      claims: list.map(({ path, values }, index) => ({ id: `c${index}`, path, ...(values && { values }) })),
      ...(claimSets && { claim_sets: claimSets }),
    }))
  })
  const plain = first({ claims: [{ path: ['gsrn'] }, { path: ['role'] }, { path: ['from'] }] })?.visible ?? {}
  const credential = {
    ...{ credential_format: 'dc+sd-jwt' as const, cryptographic_holder_binding: true, vct: entitlementVct },
    claims: plain as Record<string, never>,
  } satisfies DcqlCredential
  fc.assert(
    fc.property(query, (one) => {
      const mine = match([one]).get('entitlement')?.[0]
      const theirs = Oracle.query(Oracle.parse({ credentials: [one] } as never), [credential])
      expect(mine !== undefined).toBe(theirs.can_be_satisfied)
      const [found] = theirs.credential_matches.entitlement?.valid_credentials ?? []
      const output = found?.claims.valid_claim_sets?.[0]?.output ?? {}
      expect(mine?.asked.map(({ path }) => path[0]).sort() ?? []).toEqual(Object.keys(output).sort())
    }),
    { numRuns: 300 },
  )
})

import { didKeyFor } from '@tillit/did'
import { type Signer, signerFromSeed } from '@tillit/keys'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type City, CityError, connectCity } from './city.ts'
import { startTokenCity, type TokenCity, tokenHash } from './token-city.fixture.ts'

let tokenCity: TokenCity
let signer: Signer
let now: Date
let city: City

beforeEach(async () => {
  signer = await signerFromSeed(new Uint8Array(32).fill(1))
  const did = didKeyFor(signer.publicKey)
  const keyId = `${did}#key`
  tokenCity = await startTokenCity({ did, keyId, key: signer.publicKey })
  now = new Date('2026-06-15T12:00:00Z')
  city = connectCity({ url: `${tokenCity.url}/`, identity: { did, keyId, signer }, now: () => now })
})
afterEach(() => tokenCity.stop())

const later = (seconds: number) => {
  now = new Date(now.getTime() + seconds * 1000)
}
const errorOf = async (work: Promise<unknown>): Promise<CityError> => {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof CityError)) throw new Error(`a CityError was expected, not ${error}`)
  return error
}

test('one token serves until 20 seconds before its end, then the next one is asked for', async () => {
  await city.get('/a')
  later(279)
  await city.get('/b')
  expect(tokenCity.tokens).toBe(1)
  later(1)
  await city.get('/c')
  expect(tokenCity.tokens).toBe(2)
  expect(tokenCity.seen.map(({ token }) => token)).toEqual(['token-1', 'token-1', 'token-2'])
})

test('each request carries a proof of its own, for its method, its URL without the query, and its token', async () => {
  await city.get('/readings', { query: { from: '2026', granularity: undefined, page: 2 } })
  await city.get('/readings', { query: { from: '2026', granularity: undefined, page: 2 } })
  const [first, second] = tokenCity.seen
  expect(first?.url).toBe('/readings?from=2026&page=2')
  expect(first?.proof).toMatchObject({
    ...{ htm: 'GET', htu: `${tokenCity.url}/readings`, ath: tokenHash('token-1') },
    iat: now.getTime() / 1000,
  })
  expect(second?.proof?.jti).not.toBe(first?.proof?.jti)
})

test('a token that the city forgot is replaced, and the request is made again', async () => {
  await city.get('/a')
  tokenCity.forget()
  expect(await city.post('/b', { some: 'thing' })).toEqual({ well: true })
  expect(tokenCity.seen.map(({ token, body }) => [token, body])).toEqual([
    ['token-1', ''],
    ['token-2', '{"some":"thing"}'],
  ])
})

test('a city that refuses a fresh token too is not asked for ever', async () => {
  const refusal = { status: 401, text: JSON.stringify({ code: 'invalid-token', detail: 'No' }) }
  tokenCity.answer = () => refusal
  expect((await errorOf(city.get('/a'))).code).toBe('invalid-token')
  expect(tokenCity.seen).toHaveLength(1)
  expect((await errorOf(city.get('/a'))).code).toBe('invalid-token')
  expect(tokenCity.seen).toHaveLength(3)
})

test('what the city refuses is told by its problem', async () => {
  const problem = { code: 'access-denied', title: 'Denied', detail: 'Nobody allowed it', reasons: ['no-permission'] }
  tokenCity.answer = () => ({ status: 403, text: JSON.stringify(problem) })
  const error = await errorOf(city.get('/a'))
  expect(error).toMatchObject({ status: 403, code: 'access-denied', message: 'Nobody allowed it', problem })
})

test.each(['<h1>Bad gateway</h1>', 'null', '[]', ''])(
  'an answer that is no problem document keeps its status: %j',
  async (text) => {
    tokenCity.answer = () => ({ status: 502, text })
    expect(await errorOf(city.get('/a'))).toMatchObject({ status: 502, code: 'unknown' })
  },
)

test('a key that is not the client’s gets no token, and the OAuth error says so', async () => {
  const other = await signerFromSeed(new Uint8Array(32).fill(2))
  const did = didKeyFor(signer.publicKey)
  const thief = connectCity({ url: tokenCity.url, identity: { did, keyId: `${did}#key`, signer: other } })
  expect(await errorOf(thief.get('/a'))).toMatchObject({
    ...{ status: 401, code: 'invalid_client', message: 'Not that client' },
  })
  expect(tokenCity.seen).toEqual([])
})

test('without an identity nothing is signed and no token is asked for', async () => {
  await connectCity({ url: tokenCity.url }).get('/public')
  expect(tokenCity.seen).toEqual([{ token: null, proof: null, url: '/public', body: '' }])
  expect(tokenCity.tokens).toBe(0)
})

test('an empty answer to a post is nothing, and JSON that two parsers read differently is refused', async () => {
  tokenCity.answer = () => ({ status: 200, text: '' })
  expect(await city.post('/a')).toBeUndefined()
  tokenCity.answer = () => ({ status: 200, text: '{"state":"ACTIVE","state":"REVOKED"}' })
  await expect(city.get('/a')).rejects.toMatchObject({ code: 'invalid-json' })
})

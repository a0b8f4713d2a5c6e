import { isProblem } from '@tillit/problem'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseCredentialOffer, readCredentialOffer } from './credential-offer.ts'
import { type Peer, startPeer } from './peer.fixture.ts'

const grantName = 'urn:ietf:params:oauth:grant-type:pre-authorized_code'
const offer = {
  credential_issuer: 'https://city.example',
  credential_configuration_ids: ['MeteringPointEntitlement'],
  grants: {
    [grantName]: { 'pre-authorized_code': 'SplxlOBeZQQYbYS6WxSbIA', tx_code: { length: 6, input_mode: 'numeric' } },
  },
}

let peer: Peer
beforeAll(async () => {
  peer = await startPeer()
})
afterAll(() => peer.stop())

const read = (link: string) => readCredentialOffer(link, { fetch })
const linkTo = (uri: string, scheme = 'openid-credential-offer') =>
  `${scheme}://?credential_offer_uri=${encodeURIComponent(uri)}`
const byValue = (value: object, scheme = 'openid-credential-offer') =>
  `${scheme}://?credential_offer=${encodeURIComponent(JSON.stringify(value))}`
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'nothing is wrong',
    (error: unknown) => (isProblem(error) ? error.code : String(error)),
  )

test.each(['openid-credential-offer', 'haip-vci'])('an offer is read from a link of %s', async (scheme) => {
  expect(await read(byValue(offer, scheme))).toEqual({
    credentialIssuer: 'https://city.example',
    configurationIds: ['MeteringPointEntitlement'],
    preAuthorized: {
      code: 'SplxlOBeZQQYbYS6WxSbIA',
      txCode: { inputMode: 'numeric', length: 6, description: null },
    },
    authorizationCode: null,
    authorizationServer: null,
  })
})

test('an offer is fetched from where the link says', async () => {
  peer.on('GET', '/offers/1', () => ({ body: offer }))
  expect(await read(linkTo(`${peer.url}/offers/1`))).toEqual(await read(byValue(offer)))
})

test('an offer that leads elsewhere by a redirect is not followed', async () => {
  peer.on('GET', '/offers/2', () => ({ status: 302, headers: { location: `${peer.url}/offers/1` } }))
  const before = peer.seen.length
  await expect(read(linkTo(`${peer.url}/offers/2`))).rejects.toThrow(TypeError)
  expect(peer.seen.slice(before).map(({ path }) => path)).toEqual(['/offers/2'])
})

test('an offer that the issuer no longer hands out is refused with the issuer’s words', async () => {
  peer.on('GET', '/offers/3', () => ({ status: 404, body: { code: 'not-found', detail: 'No such offer' } }))
  await expect(read(linkTo(`${peer.url}/offers/3`))).rejects.toMatchObject({
    name: 'CityError',
    status: 404,
    message: 'No such offer',
  })
})

test.each([
  ['a link of another kind', `mailto:${encodeURIComponent(JSON.stringify(offer))}`],
  ['something that is no link', 'no link'],
  ['a link with neither an offer nor its place', 'openid-credential-offer://?x=1'],
  [
    'a link with an offer and its place',
    `${byValue(offer)}&credential_offer_uri=${encodeURIComponent('https://a.example')}`,
  ],
  ['a link with two offers', `${byValue(offer)}&credential_offer=%7B%7D`],
  ['an offer that is no JSON', 'openid-credential-offer://?credential_offer=%7B'],
  ['an offer of nothing', byValue({ ...offer, credential_configuration_ids: [] })],
  ['an offer of the same twice', byValue({ ...offer, credential_configuration_ids: ['A', 'A'] })],
  ['an offer without issuer', byValue({ ...offer, credential_issuer: undefined })],
  ['an offer of an issuer with a query', byValue({ ...offer, credential_issuer: 'https://city.example/?a=b' })],
  ['a grant without code', byValue({ ...offer, grants: { [grantName]: {} } })],
])('%s is no credential offer', async (_what, link) => {
  expect(await codeOf(read(link))).toBe('invalid-credential-offer')
})

test.each([
  ['plain http elsewhere', 'http://city.example/offers/1'],
  ['a file', 'file:///etc/passwd'],
  ['a name and password', 'https://user:secret@city.example/offers/1'],
])('a wallet does not fetch an offer from %s', async (_what, uri) => {
  expect(await codeOf(read(linkTo(uri)))).toBe('invalid-request')
})

test('an offer without grants leaves the way to the wallet', () => {
  const { grants: _, ...bare } = offer
  expect(parseCredentialOffer(JSON.stringify(bare))).toMatchObject({
    preAuthorized: null,
    authorizationCode: { issuerState: null },
  })
})

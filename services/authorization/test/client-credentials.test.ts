import type { webcrypto } from 'node:crypto'
import { generatePrivateJwk, parseJws, signerFromJwk, signJws, thumbprint, toPublicJwk } from '@tillit/keys'
import { createRemoteJWKSet, importJWK, jwtVerify } from 'jose'
import {
  allowInsecureRequests,
  clientCredentialsGrant,
  discovery,
  getDPoPHandle,
  PrivateKeyJwt,
  randomDPoPKeyPair,
} from 'openid-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { assertionOf, type DidClient, didJwkOf, newDidClient, proofOf, requestToken, resolved } from './did-client.ts'
import { startServer, type TestServer } from './start-server.ts'
import { credentialDetails, detailsFor, preAuthorizedCodeGrant, useToken } from './wallet-client.ts'

let server: TestServer
let party: DidClient

beforeAll(async () => {
  server = await startServer()
  party = await newDidClient()
  await server.enlist('party', party.did, 'ACTIVE')
})
afterAll(() => server.stop())

const tokenUrl = () => `${server.issuer}/token`

/** A request that would succeed, with one thing changed. */
async function ask(
  client: DidClient,
  changes: { claims?: object; proof?: string; parameters?: Record<string, string> } = {},
) {
  const assertion = await assertionOf(client, server.issuer, { ...changes.claims })
  const proof = changes.proof ?? (await proofOf(client.proofSigner, tokenUrl()))
  return requestToken(server.issuer, {
    assertion,
    proof,
    ...(changes.parameters ? { parameters: changes.parameters } : {}),
  })
}

test('an active party gets a DPoP-bound access token that names it, and the resource server takes it', async () => {
  const answer = await ask(party)
  expect(answer).toMatchObject({ status: 200, body: { token_type: 'DPoP', expires_in: 300 } })
  const token = answer.body.access_token ?? ''
  const { payload, protectedHeader } = await jwtVerify(token, createRemoteJWKSet(new URL(`${server.issuer}/jwks`)), {
    issuer: server.issuer,
    audience: server.publicUrl,
    typ: 'at+jwt',
  })
  expect(protectedHeader).toMatchObject({ alg: 'EdDSA', kid: server.authorization.jwks().keys[0]?.kid })
  expect(payload).toMatchObject({
    client_id: party.did,
    sub: party.did,
    kind: 'organisation',
    aud: server.publicUrl,
    cnf: { jkt: thumbprint(party.proofSigner.publicKey) },
  })
  expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBeLessThanOrEqual(300)

  const ath = Buffer.from(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token))).toString('base64url')
  const proof = await proofOf(party.proofSigner, `${server.publicUrl}/whoami`, { htm: 'GET', ath })
  const whoami = await fetch(`${server.publicUrl}/whoami`, { headers: { authorization: `DPoP ${token}`, dpop: proof } })
  expect(await whoami.json()).toMatchObject({ kind: 'organisation', id: party.did, clientId: party.did })
})

test('a client that knows nothing but the issuer gets there by discovery', async () => {
  const jwk = await generatePrivateJwk()
  const signer = await signerFromJwk(jwk)
  const did = didJwkOf(toPublicJwk(signer.publicKey))
  const method = { id: '#0', type: 'JsonWebKey2020', controller: did, publicKeyJwk: toPublicJwk(signer.publicKey) }
  server.resolutions.set(did, async () => resolved(did, { verificationMethod: [method], authentication: ['#0'] }))
  await server.enlist('party', did, 'ACTIVE')
  const key = (await importJWK({ ...jwk, alg: 'Ed25519' })) as webcrypto.CryptoKey
  const config = await discovery(new URL(server.issuer), did, undefined, PrivateKeyJwt({ key, kid: `${did}#0` }), {
    execute: [allowInsecureRequests],
    algorithm: 'oauth2',
  })
  const answer = await clientCredentialsGrant(config, {}, { DPoP: getDPoPHandle(config, await randomDPoPKeyPair()) })
  expect(answer).toMatchObject({ token_type: 'dpop', expires_in: 300 })
})

test('an active device gets a token of kind device', async () => {
  const device = await newDidClient()
  await server.enlist('device', device.did, 'ACTIVE')
  const answer = await ask(device, { parameters: { resource: server.publicUrl } })
  expect(parseJws(answer.body.access_token ?? '').payload).toMatchObject({ kind: 'device', sub: device.did })
})

test('another resource is an invalid target', async () => {
  const answer = await ask(party, { parameters: { resource: 'https://elsewhere.example' } })
  expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_target' } })
})

test('an assertion by another key is refused', async () => {
  const other = await newDidClient()
  const answer = await ask({ ...other, did: party.did, kid: party.kid })
  expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
  expect(answer.contentType).toContain('application/json')
})

test('a DID that is no party and no device is refused', async () => {
  expect(await ask(await newDidClient())).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
})

test('a DID of a method that is not allowed is refused without resolving it', async () => {
  const did = 'did:web:169.254.169.254'
  let asked = false
  server.resolutions.set(did, async () => {
    asked = true
    return resolved(did, {})
  })
  await server.enlist('party', did, 'ACTIVE')
  const answer = await ask({ ...party, did, kid: `${did}#0` })
  expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
  expect(asked).toBe(false)
})

test.each(['SUSPENDED', 'REMOVED', 'APPLIED', 'VETTED'])(
  'a party that is %s gets no token, from that moment on',
  async (status) => {
    const client = await newDidClient()
    await server.enlist('party', client.did, 'ACTIVE')
    expect((await ask(client)).status).toBe(200)
    await server.enlist('party', client.did, status)
    expect(await ask(client)).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
  },
)

test('a device that is not active gets no token', async () => {
  const device = await newDidClient()
  await server.enlist('device', device.did, 'QUARANTINED')
  expect(await ask(device)).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
})

test('an assertion is used once', async () => {
  const assertion = await assertionOf(party, server.issuer)
  const once = await requestToken(server.issuer, { assertion, proof: await proofOf(party.proofSigner, tokenUrl()) })
  const twice = await requestToken(server.issuer, { assertion, proof: await proofOf(party.proofSigner, tokenUrl()) })
  expect(once.status).toBe(200)
  expect(twice).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
})

test('of requests with the same assertion at once, one succeeds', async () => {
  // Several rounds over warm connections: a check that is not atomic lets two pass in most rounds, not in each.
  for (let round = 0; round < 6; round++) {
    const assertion = await assertionOf(party, server.issuer)
    const proofs = await Promise.all(Array.from({ length: 12 }, () => proofOf(party.proofSigner, tokenUrl())))
    const answers = await Promise.all(proofs.map((proof) => requestToken(server.issuer, { assertion, proof })))
    expect(answers.filter((answer) => answer.status === 200)).toHaveLength(1)
    expect(answers.filter((answer) => answer.body.error === 'invalid_client')).toHaveLength(11)
  }
})

test('a proof is used once', async () => {
  const proof = await proofOf(party.proofSigner, tokenUrl())
  expect((await ask(party, { proof })).status).toBe(200)
  const again = await ask(party, { proof })
  expect(again.status).toBe(400)
  expect(again.body.error_description ?? again.body.error).toMatch(/invalid_grant|grant request is invalid/)
})

test('a request without DPoP is refused', async () => {
  const answer = await requestToken(server.issuer, { assertion: await assertionOf(party, server.issuer) })
  expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
})

test('a proof made for another address is refused, whatever the Host header says', async () => {
  const proof = await proofOf(party.proofSigner, 'https://evil.example/oauth/token')
  const assertion = await assertionOf(party, server.issuer)
  const headers = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' }
  expect(await requestToken(server.issuer, { assertion, proof, headers })).toMatchObject({
    status: 400,
    body: { error: 'invalid_dpop_proof' },
  })
})

/** The point of order 1: by the bare equation of RFC 8032 the signature R = identity, S = 0 fits every message under it. */
const weakJwk = { kty: 'OKP', crv: 'Ed25519', x: 'AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' }
const forgery = Uint8Array.from({ length: 64 }, (_, index) => (index === 0 ? 1 : 0))

test('a proof under a weak key is refused', async () => {
  const proof = await signJws(
    { typ: 'dpop+jwt', jwk: weakJwk },
    { htm: 'POST', htu: tokenUrl(), jti: 'weak', iat: Math.floor(Date.now() / 1000) },
    { ...party.signer, alg: 'EdDSA', sign: async () => forgery },
  )
  const error_description = 'The Ed25519 key is a point of small order'
  expect(await ask(party, { proof })).toMatchObject({
    status: 400,
    body: { error: 'invalid_dpop_proof', error_description },
  })
})

test('a client whose key is weak is refused, and the log says why', async () => {
  const before = server.logged.length
  const did = didJwkOf(weakJwk)
  const method = { id: `${did}#0`, type: 'JsonWebKey2020', controller: did, publicKeyJwk: weakJwk }
  server.resolutions.set(did, async () => resolved(did, { verificationMethod: [method], authentication: [`${did}#0`] }))
  await server.enlist('party', did, 'ACTIVE')
  const answer = await ask({ ...party, did, kid: `${did}#0`, signer: { ...party.signer, sign: async () => forgery } })
  expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
  expect(server.logged.slice(before).join('')).toContain('a point of small order')
})

test('a key that is not for authentication is no client key', async () => {
  const client = await newDidClient()
  const multikey = client.did.slice('did:key:'.length)
  const method = { id: client.kid, type: 'Multikey', controller: client.did, publicKeyMultibase: multikey }
  server.resolutions.set(client.did, async () =>
    resolved(client.did, { verificationMethod: [method], assertionMethod: [method.id] }),
  )
  await server.enlist('party', client.did, 'ACTIVE')
  expect(await ask(client)).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
})

test('a deactivated DID and a resolution that fails are invalid clients', async () => {
  const client = await newDidClient()
  await server.enlist('party', client.did, 'ACTIVE')
  server.resolutions.set(client.did, async () => ({
    ...{ didDocument: null, didResolutionMetadata: {} },
    didDocumentMetadata: { deactivated: true },
  }))
  expect(await ask(client)).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
  const broken = await newDidClient()
  await server.enlist('party', broken.did, 'ACTIVE')
  server.resolutions.set(broken.did, async () => {
    throw new Error('the registry is away')
  })
  expect(await ask(broken)).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
})

test('a resolution that never ends is an invalid client within three seconds', async () => {
  const client = await newDidClient()
  await server.enlist('party', client.did, 'ACTIVE')
  server.resolutions.set(client.did, () => new Promise(() => undefined))
  const before = Date.now()
  expect(await ask(client)).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
  expect(Date.now() - before).toBeLessThan(3000)
})

test.each([
  ['for the token endpoint instead of the issuer', { aud: 'TOKEN' }],
  ['for the issuer among others', { aud: 'LIST' }],
  ['that lives an hour', { exp: Math.floor(Date.now() / 1000) + 3600 }],
  ['that has expired', { exp: Math.floor(Date.now() / 1000) - 60 }],
  ['without an id', { jti: undefined }],
])('an assertion %s is refused', async (_, claims) => {
  const audiences: Record<string, unknown> = { TOKEN: tokenUrl(), LIST: [server.issuer, 'https://other.example'] }
  const given = 'aud' in claims ? { aud: audiences[claims.aud] } : claims
  expect(await ask(party, { claims: given })).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
})

test('a machine cannot ask for a person', async () => {
  const response = await fetch(`${server.issuer}/par`, {
    method: 'POST',
    body: new URLSearchParams({
      ...{ client_id: party.did, response_type: 'code', scope: 'openid', code_challenge: 'a'.repeat(43) },
      ...{ code_challenge_method: 'S256', redirect_uri: `${server.publicUrl}/portal/callback` },
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await assertionOf(party, server.issuer),
    }),
  })
  expect(response.status).toBe(400)
  expect(await response.json()).toMatchObject({
    error: 'invalid_request',
    error_description: 'requested response_type is not allowed for this client',
  })
})

test('nothing logged names a client or holds a token', () => {
  const text = server.logged.join('')
  expect(text).not.toContain('eyJ')
  expect(text).not.toContain(party.did)
})

test('a client whose foreign DID was rotated is known by its new key at once, and its host is not asked for every wrong one', async () => {
  const [old, next, other] = [await newDidClient(), await newDidClient(), await newDidClient()]
  const did = `did:webvh:QmXo1T8KMYrnrk6GTqKyJW6sLi7JEn73YWTGyT8hZcVRRy:keys.example`
  await server.enlist('party', did, 'ACTIVE')
  const document = (client: DidClient) => {
    const id = `${did}#${client.kid.split('#')[1]}`
    const method = { id, type: 'JsonWebKey', controller: did, publicKeyJwk: toPublicJwk(client.signer.publicKey) }
    return resolved(did, { verificationMethod: [method], authentication: [id] })
  }
  let asked = 0
  server.resolutions.set(did, async ({ fresh = false } = {}) => {
    if (fresh) asked++
    return document(fresh ? next : old)
  })
  const as = (client: DidClient) => ask({ ...client, did, kid: `${did}#${client.kid.split('#')[1]}` })
  expect(await as(old)).toMatchObject({ status: 200 })
  expect(asked).toBe(0)
  expect(await as(next)).toMatchObject({ status: 200 })
  for (let i = 0; i < 3; i++) expect(await as(other)).toMatchObject({ status: 401 })
  expect(asked).toBe(1)
  expect(await as(old)).toMatchObject({ status: 401 })
})

test('a machine asks for a token that is for receiving its credential only, by details or by scope', async () => {
  const device = await newDidClient()
  await server.enlist('device', device.did, 'ACTIVE')
  const details = credentialDetails('MeterDeviceCredential')
  const byDetails = await ask(device, { parameters: { authorization_details: details } })
  expect(byDetails.body).toMatchObject({ authorization_details: detailsFor('MeterDeviceCredential') })
  const byScope = await ask(device, { parameters: { scope: 'MeterDeviceCredential' } })
  expect(byScope.body).toMatchObject({ scope: 'MeterDeviceCredential' })
  for (const { status, body } of [byDetails, byScope]) {
    expect(status).toBe(200)
    const { forWallets, forOthers } = await useToken(server, body.access_token ?? '', device.proofSigner)
    expect(forWallets).toMatchObject({
      ...{ kind: 'device', id: device.did },
      authorizationDetails: detailsFor('MeterDeviceCredential'),
    })
    expect(forOthers).toMatchObject({ code: 'role-required' })
  }
})

test('details for a configuration that nobody issues, or of another type, are refused', async () => {
  for (const details of [credentialDetails('PassportCredential'), '[{"type":"payment"}]', '{}', 'no JSON']) {
    expect(await ask(party, { parameters: { authorization_details: details } })).toMatchObject({
      status: 400,
      body: { error: 'invalid_authorization_details' },
    })
  }
})

test('a token that was asked for without details is for everything the machine may do', async () => {
  const { body } = await ask(party)
  expect(parseJws(body.access_token ?? '').payload).not.toHaveProperty('authorization_details')
  const { forOthers } = await useToken(server, body.access_token ?? '', party.proofSigner)
  expect(forOthers).toMatchObject({ id: party.did })
})

test('a machine cannot redeem an offer by its own client id', async () => {
  const grant_type = preAuthorizedCodeGrant
  expect(await ask(party, { parameters: { grant_type, 'pre-authorized_code': 'a' } })).toMatchObject({
    status: 400,
    body: { error: 'invalid_request' },
  })
})

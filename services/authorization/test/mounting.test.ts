import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { assertionOf, newDidClient, proofOf, requestToken } from './did-client.ts'
import { startServer, type TestServer } from './start-server.ts'

let server: TestServer

beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())

/** One request exactly as written, which fetch would not let through. */
function raw(lines: string[]): Promise<string> {
  const { hostname, port } = new URL(server.publicUrl)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () =>
      socket.end(`${lines.join('\r\n')}\r\nConnection: close\r\n\r\n`),
    )
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk
    })
    socket.on('end', () => resolve(text))
    socket.on('error', reject)
  })
}

test('the metadata is at the OpenID path and at the host-rooted OAuth path, and is the same', async () => {
  const openid = await fetch(`${server.issuer}/.well-known/openid-configuration`)
  const oauth = await fetch(`${server.publicUrl}/.well-known/oauth-authorization-server/oauth`)
  const metadata = (await openid.json()) as Record<string, unknown>
  expect(await oauth.json()).toEqual(metadata)
  expect(metadata).toMatchObject({
    issuer: server.issuer,
    token_endpoint: `${server.issuer}/token`,
    pushed_authorization_request_endpoint: `${server.issuer}/par`,
    jwks_uri: `${server.issuer}/jwks`,
    token_endpoint_auth_methods_supported: ['private_key_jwt', 'attest_jwt_client_auth', 'none'],
    require_pushed_authorization_requests: true,
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
  })
  expect(metadata.dpop_signing_alg_values_supported).toEqual(expect.arrayContaining(['ES256', 'EdDSA']))
})

test('the metadata says what wallets need to know (OpenID4VCI 1.0 section 12.3, HAIP 1.0)', async () => {
  const response = await fetch(`${server.publicUrl}/.well-known/oauth-authorization-server/oauth`)
  expect(response.headers.get('access-control-allow-origin')).toBe('*')
  const metadata = (await response.json()) as Record<string, unknown>
  expect(metadata).toMatchObject({
    'pre-authorized_grant_anonymous_access_supported': true,
    authorization_details_types_supported: ['openid_credential'],
    challenge_endpoint: `${server.issuer}/challenge`,
    grant_types_supported: expect.arrayContaining(['urn:ietf:params:oauth:grant-type:pre-authorized_code']),
    scopes_supported: expect.arrayContaining(['openid', 'MeteringPointEntitlement']),
    client_attestation_signing_alg_values_supported: expect.arrayContaining(['ES256', 'EdDSA']),
    client_attestation_pop_signing_alg_values_supported: expect.arrayContaining(['ES256', 'EdDSA']),
  })
})

test.each([
  ['GET', '/oauth/.well-known/openid-credential-issuer'],
  ['POST', '/oauth/credential'],
])('%s %s is not served here but by the credential issuer', async (method, path) => {
  expect((await fetch(server.publicUrl + path, { method })).status).toBe(404)
})

test('the challenge endpoint gives attestation challenges, and no nonces for proofs of keys', async () => {
  const answer = await fetch(`${server.issuer}/challenge`, { method: 'POST' })
  expect(answer.headers.get('cache-control')).toContain('no-store')
  expect(Object.keys((await answer.json()) as object)).toEqual(['attestation_challenge'])
})

test.each([
  ['a foreign Host', ['GET /oauth/.well-known/openid-configuration HTTP/1.1', 'Host: evil.example']],
  [
    'forwarded headers',
    [
      'GET /oauth/.well-known/openid-configuration HTTP/1.1',
      'Host: x',
      'X-Forwarded-Host: evil.example',
      'X-Forwarded-Proto: https',
    ],
  ],
  [
    'an absolute request target',
    ['GET http://evil.example/oauth/.well-known/openid-configuration HTTP/1.1', 'Host: evil.example'],
  ],
  ['the host-rooted path', ['GET /.well-known/oauth-authorization-server/oauth HTTP/1.1', 'Host: evil.example']],
])('metadata never follows %s', async (_, lines) => {
  const answer = await raw(lines)
  expect(answer).toContain(`"token_endpoint":"${server.issuer}/token"`)
  expect(answer).not.toContain('evil.example')
})

test('the published keys are public and are those that verify tokens', async () => {
  const { keys } = (await (await fetch(`${server.issuer}/jwks`)).json()) as { keys: Record<string, unknown>[] }
  expect(keys).toEqual(server.authorization.jwks().keys)
  expect(JSON.stringify(keys)).not.toContain('"d"')
})

test('the form reaches the provider unread, and other bodies are refused in its own words', async () => {
  const client = await newDidClient()
  await server.enlist('party', client.did, 'ACTIVE')
  const proof = () => proofOf(client.proofSigner, `${server.issuer}/token`)
  const assertion = await assertionOf(client, server.issuer)
  expect((await requestToken(server.issuer, { assertion, proof: await proof() })).status).toBe(200)
  for (const [contentType, body] of [
    ['application/json', '{"grant_type":"client_credentials"}'],
    ['application/x-www-form-urlencoded', `grant_type=${'x'.repeat(70_000)}`],
    ['text/plain', 'hello'],
  ] as const) {
    const answer = await fetch(`${server.issuer}/token`, {
      method: 'POST',
      headers: { 'content-type': contentType },
      body,
    })
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ error: 'invalid_request' })
  }
})

test('a grant type or a client authentication that is not offered is refused', async () => {
  const client = await newDidClient()
  await server.enlist('party', client.did, 'ACTIVE')
  const proof = await proofOf(client.proofSigner, `${server.issuer}/token`)
  const assertion = await assertionOf(client, server.issuer)
  expect(await requestToken(server.issuer, { assertion, proof, parameters: { grant_type: 'password' } })).toMatchObject(
    { status: 400, body: { error: 'unsupported_grant_type' } },
  )
  const basic = await fetch(`${server.issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from('portal:secret').toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  })
  expect(await basic.json()).toMatchObject({ error: 'invalid_client' })
})

test.each([
  '/oauth',
  '/oauth/',
  '/oauth/nothing',
  '/oauth/userinfo',
  '/oauth/%zz',
  '/oauth//token',
  '/oauth/../oauth/token',
])('GET %s is no resource and harms nothing', async (path) => {
  const answer = await raw([`GET ${path} HTTP/1.1`, 'Host: x'])
  expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /)
})

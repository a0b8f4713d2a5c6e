import { sha256, toBase64url } from '@tillit/codec'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { leafCertificate, testCertificate, trustAnchor } from '../../services/verifier/test/certificate.fixture.ts'
import { startVerifier, type TestVerifier } from '../../services/verifier/test/start-verifier.ts'
import { createPresentingWallet } from '../packages/independent-wallet/present-credential.ts'
import { walletKeyFrom } from '../packages/independent-wallet/wallet-key.ts'

/** The plan oid4vp-1final-verifier-haip-test-plan: its modules are those of the plain plan, with x509_hash and direct_post.jwt. */

let verifier: TestVerifier

beforeAll(async () => {
  verifier = await startVerifier({ certificate: await testCertificate() })
}, 60_000)

afterAll(() => verifier.stop())

const noDids = async () => {
  throw new Error('a wallet of this profile resolves no DIDs')
}

function ask() {
  return verifier.ask({
    preset: { name: 'may-act-for-metering-point', metering_point: verifier.point },
    client_id_prefix: 'x509_hash',
  })
}

test('oid4vp-1final-verifier-happy-flow with x509_hash: the request is signed by a certificate', async () => {
  const asked = await ask()
  const clientId = `x509_hash:${toBase64url(sha256(Buffer.from(leafCertificate, 'base64')))}`
  expect(asked.client_id).toBe(clientId)
  expect(asked.request.links.haip_vp).toBe(asked.request.links.openid4vp.replace('openid4vp://', 'haip-vp://'))
  const object = await (await verifier.fetch(asked.request.request_uri)).text()
  expect(decodeProtectedHeader(object)).toEqual({ alg: 'ES256', typ: 'oauth-authz-req+jwt', x5c: [leafCertificate] })
  expect(decodeJwt(object)).toMatchObject({ client_id: clientId, response_mode: 'direct_post.jwt' })

  const wallet = createPresentingWallet({
    fetch: verifier.fetch,
    resolveKey: noDids,
    trustedCertificate: trustAnchor,
  })
  const { credential } = await verifier.entitlement()
  const request = await wallet.resolve(asked.request.links.haip_vp ?? '')
  const holder = { credentials: [credential], key: await walletKeyFrom(verifier.holder.jwk) }
  expect((await wallet.answer(request, holder)).status).toBe(200)
  expect((await verifier.read(asked)).body).toMatchObject({ state: 'proved' })
})

test('oid4vp-1final-verifier-invalid-kb-jwt-aud with x509_hash: a presentation to the verifier’s DID is another one', async () => {
  const asked = await ask()
  const wallet = createPresentingWallet({ fetch: verifier.fetch, resolveKey: noDids, trustedCertificate: trustAnchor })
  const { credential } = await verifier.entitlement()
  const reply = await wallet.answer(
    await wallet.resolve(asked.request.links.openid4vp),
    { credentials: [credential], key: await walletKeyFrom(verifier.holder.jwk) },
    { binding: { aud: `decentralized_identifier:${verifier.city.authority.did}` } },
  )
  expect(reply.status).toBe(400)
})

test('a wallet that trusts another anchor does not answer', async () => {
  const wallet = createPresentingWallet({
    fetch: verifier.fetch,
    resolveKey: noDids,
    trustedCertificate: leafCertificate,
  })
  await expect(wallet.resolve((await ask()).request.links.openid4vp)).rejects.toThrow()
})

import { sha256, toBase64url, utf8 } from '@tillit/codec'
import { signJws, toPublicJwk } from '@tillit/keys'
import type { ProblemCode } from '@tillit/problem'
import { createJWT, EdDSASigner, ES256KSigner, ES256Signer, verifyJWT } from 'did-jwt'
import { describe, expect, test } from 'vitest'
import { didOf, documentOf, now, resolverOver, signerOf } from '../test/city.ts'
import { type EcosystemOptions, verifyEcosystemJwt } from './verify-ecosystem-jwt.ts'

const refused = (code: ProblemCode) => expect.objectContaining({ name: 'Problem', code })
const issuer = didOf('stranger')
const iat = now.getTime() / 1000
const credential = {
  iat,
  sub: 'did:example:subject',
  vc: {
    '@context': ['https://www.w3.org/2018/credentials/v1'],
    type: ['VerifiableCredential', 'EnergyAdviserCredential'],
    credentialSubject: { name: 'Adviser' },
  },
}

async function options(changes: Partial<EcosystemOptions> = {}): Promise<EcosystemOptions> {
  return { resolveDid: resolverOver([await documentOf('stranger')]), now, audience: null, ...changes }
}

function didJwt(payload: object, header: object = {}): Promise<string> {
  const signer = EdDSASigner(sha256(utf8('seed of stranger')))
  return createJWT(payload, { issuer, signer }, { alg: 'EdDSA', ...header })
}

/** A document with one P-256 key, and what signs with it. */
async function p256(): Promise<{ document: Record<string, unknown>; secret: Uint8Array }> {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
  const { kty, crv, x, y, d = '' } = await crypto.subtle.exportKey('jwk', pair.privateKey)
  const method = {
    id: `${issuer}#p256`,
    type: 'JsonWebKey2020',
    controller: issuer,
    publicKeyJwk: { kty, crv, x, y },
  }
  const document = { id: issuer, verificationMethod: [method], assertionMethod: [method.id] }
  return { document, secret: new Uint8Array(Buffer.from(d, 'base64url')) }
}

describe('a JWT made by did-jwt', () => {
  test('that is a credential verifies and tells its type', async () => {
    const verified = await verifyEcosystemJwt(await didJwt(credential), await options())
    expect(verified).toMatchObject({
      issuer,
      keyId: `${issuer}#key-1`,
      type: 'EnergyAdviserCredential',
      claims: { sub: 'did:example:subject' },
    })
  })

  test('with ES256 verifies', async () => {
    const { document, secret } = await p256()
    const jwt = await createJWT(credential, { issuer, signer: ES256Signer(secret) }, { alg: 'ES256' })
    const verified = await verifyEcosystemJwt(jwt, await options({ resolveDid: resolverOver([document]) }))
    expect(verified).toMatchObject({ keyId: `${issuer}#p256` })
  })

  test('that is any other statement verifies and has no type', async () => {
    const verified = await verifyEcosystemJwt(await didJwt({ iat, hello: 'world' }), await options())
    expect(verified).toMatchObject({ type: null, claims: { hello: 'world' } })
  })

  test('for this audience verifies, for another is refused', async () => {
    const jwt = await didJwt({ iat, aud: ['did:example:a', 'did:example:b'] })
    expect(await verifyEcosystemJwt(jwt, await options({ audience: 'did:example:b' }))).toMatchObject({ issuer })
    await expect(verifyEcosystemJwt(jwt, await options({ audience: 'did:example:c' }))).rejects.toThrow(
      refused('invalid-credential'),
    )
    await expect(
      verifyEcosystemJwt(await didJwt({ iat }), await options({ audience: 'did:example:a' })),
    ).rejects.toThrow(refused('invalid-credential'))
  })

  test('is refused outside its time', async () => {
    const late = await didJwt({ iat, exp: iat - 120 })
    await expect(verifyEcosystemJwt(late, await options())).rejects.toThrow(refused('credential-expired'))
    const early = await didJwt({ iat, nbf: iat + 120 })
    await expect(verifyEcosystemJwt(early, await options())).rejects.toThrow(refused('credential-expired'))
  })

  test('that names another issuer inside is refused', async () => {
    const jwt = await didJwt({ ...credential, vc: { ...credential.vc, issuer: { id: didOf('utility') } } })
    await expect(verifyEcosystemJwt(jwt, await options())).rejects.toThrow(refused('invalid-credential'))
  })

  test('with a status that cannot be read is refused', async () => {
    const vc = { ...credential.vc, credentialStatus: { id: 'https://x.example/1', type: 'StatusList2021Entry' } }
    await expect(verifyEcosystemJwt(await didJwt({ ...credential, vc }), await options())).rejects.toThrow(
      refused('status-unknown'),
    )
  })
})

describe('what did-jwt alone would let through', () => {
  test('a constant signature under a small-order key is refused', async () => {
    const weak = { kty: 'OKP', crv: 'Ed25519', x: toBase64url(Uint8Array.of(1, ...new Uint8Array(31))) }
    const method = { id: `${issuer}#key-1`, type: 'JsonWebKey2020', controller: issuer, publicKeyJwk: weak }
    const resolveDid = resolverOver([{ id: issuer, verificationMethod: [method], assertionMethod: [method.id] }])
    const encode = (value: object) => toBase64url(utf8(JSON.stringify(value)))
    // R = the neutral element, S = 0: valid for every message under this key.
    const signature = toBase64url(Uint8Array.of(1, ...new Uint8Array(63)))
    const jwt = `${encode({ alg: 'EdDSA', typ: 'JWT' })}.${encode({ iss: issuer, iat })}.${signature}`
    const alone = await verifyJWT(jwt, { resolver: { resolve: resolveDid as never }, policies: { now: iat } })
    expect(alone.verified).toBe(true)
    await expect(verifyEcosystemJwt(jwt, await options({ resolveDid }))).rejects.toThrow(refused('weak-key'))
  })

  test('a second encoding of the key that says otherwise is refused', async () => {
    const document = await documentOf('stranger')
    const publicKeyMultibase = 'z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK'
    const publicKeyJwk = toPublicJwk((await signerOf('stranger')).publicKey)
    const method = {
      id: `${issuer}#key-1`,
      type: 'JsonWebKey2020',
      controller: issuer,
      publicKeyJwk,
      publicKeyMultibase,
    }
    const resolveDid = resolverOver([{ ...document, verificationMethod: [method] }])
    await expect(verifyEcosystemJwt(await didJwt(credential), await options({ resolveDid }))).rejects.toThrow(
      refused('invalid-key'),
    )
  })

  test('a credential signed with a key that may only authenticate is refused', async () => {
    const { assertionMethod: _, ...document } = await documentOf('stranger')
    const resolveDid = resolverOver([document])
    await expect(verifyEcosystemJwt(await didJwt(credential), await options({ resolveDid }))).rejects.toThrow(
      refused('invalid-signature'),
    )
    expect(await verifyEcosystemJwt(await didJwt({ iat }), await options({ resolveDid }))).toMatchObject({ issuer })
  })

  test('ES256K, none and nested JWTs are refused', async () => {
    const signer = ES256KSigner(sha256(utf8('k')))
    const es256k = await createJWT({ iat }, { issuer, signer }, { alg: 'ES256K' })
    await expect(verifyEcosystemJwt(es256k, await options())).rejects.toThrow(refused('unsupported-algorithm'))
    const inner = await didJwt({ iat })
    const nested = await signJws({ typ: 'JWT', cty: 'JWT' }, { iss: issuer, jwt: inner }, await signerOf('utility'))
    await expect(verifyEcosystemJwt(nested, await options())).rejects.toThrow(refused('invalid-credential'))
    const none = `${toBase64url(utf8('{"alg":"none"}'))}.${toBase64url(utf8(`{"iss":"${issuer}"}`))}.AA`
    await expect(verifyEcosystemJwt(none, await options())).rejects.toThrow(refused('unsupported-algorithm'))
  })

  test('a key identifier of another DID is refused', async () => {
    const jwt = await didJwt({ iat }, { kid: `${didOf('utility')}#key-1` })
    await expect(verifyEcosystemJwt(jwt, await options())).rejects.toThrow(refused('invalid-signature'))
  })

  test('an expiry of null is refused', async () => {
    const jwt = await didJwt({ iat, exp: null })
    await expect(verifyEcosystemJwt(jwt, await options())).rejects.toThrow(refused('invalid-credential'))
  })
})

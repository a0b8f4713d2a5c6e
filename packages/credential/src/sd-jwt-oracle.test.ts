import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc'
import { fromBase64url, type Json, sha256, toBase64url, utf8 } from '@tillit/codec'
import { generatePrivateJwk, type Signer, signerFromJwk, verifySignature } from '@tillit/keys'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { counter } from '../test/city.ts'
import type { ClaimPath } from './conceal-claims.ts'
import { issueSdJwt } from './issue-sd-jwt.ts'
import { parseSdJwt } from './parse-sd-jwt.ts'

// The oracle is @sd-jwt: whatever one of the two issues, the other reads the same.

type Claims = { [name: string]: Json }

const signers = {
  EdDSA: await signerFromJwk(await generatePrivateJwk('EdDSA')),
  ES256: await signerFromJwk(await generatePrivateJwk('ES256')),
}
const frame = { iss: 'https://issuer.example', vct: 'https://issuer.example/type' }

const name = fc.string({ minLength: 1, maxLength: 8, unit: 'grapheme' }).filter((text) => {
  return !['_sd', '_sd_alg', '...', '__proto__', 'constructor', 'toString'].includes(text) && !(text in frame)
})
const { json } = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.string({ unit: 'grapheme' }),
    fc.array(tie('json'), { maxLength: 3 }),
    fc.dictionary(name, tie('json'), { maxKeys: 3, noNullPrototype: true }),
  ),
}))
const claimsWithPaths = fc
  .dictionary(name, json, { minKeys: 1, maxKeys: 4, noNullPrototype: true })
  .chain((claims) => fc.record({ claims: fc.constant(claims), paths: fc.shuffledSubarray(pathsIn(claims)) }))
const alg = fc.constantFrom<'EdDSA' | 'ES256'>('EdDSA', 'ES256')

function pathsIn(value: Json, here: ClaimPath = []): ClaimPath[] {
  if (value === null || typeof value !== 'object') return []
  const entries: [string | number, Json][] = Array.isArray(value)
    ? value.map((element, index): [number, Json] => [index, element])
    : Object.entries(value)
  return entries.flatMap(([step, inner]) => [[...here, step], ...pathsIn(inner, [...here, step])])
}

/** The disclosure frame of @sd-jwt that conceals the same. */
function frameOf(paths: readonly ClaimPath[]): object {
  const root: Record<string, unknown> = {}
  for (const path of paths) {
    let at = root
    for (const step of path.slice(0, -1)) {
      const next = (at[String(step)] ?? {}) as Record<string, unknown>
      at[String(step)] = next
      at = next
    }
    at._sd = [...((at._sd as unknown[] | undefined) ?? []), path.at(-1)]
  }
  return root
}

function oracle(signer: Signer): SDJwtVcInstance {
  return new SDJwtVcInstance({
    hasher: (data) => sha256(typeof data === 'string' ? utf8(data) : new Uint8Array(data)),
    hashAlg: 'sha-256',
    saltGenerator: counterSalt,
    signAlg: signer.alg,
    signer: async (data) => toBase64url(await signer.sign(utf8(data))),
    verifier: async (data, signature) => verifySignature(signer.publicKey, utf8(data), fromBase64url(signature)),
  })
}

const bytes = counter('oracle')
const counterSalt = () => toBase64url(bytes(16))

function issued(claims: Claims, disclosable: readonly ClaimPath[], signer: Signer, decoys = 0): Promise<string> {
  return issueSdJwt({
    header: { typ: 'dc+sd-jwt' },
    claims: { ...claims, ...frame },
    disclosable,
    decoys,
    signer,
    randomBytes: counter('ours'),
  })
}

test('what is issued here, nested and in arrays, with decoys, reads the same in the oracle', async () => {
  await fc.assert(
    fc.asyncProperty(claimsWithPaths, alg, fc.nat(3), async ({ claims, paths }, algorithm, decoys) => {
      const credential = await issued(claims, paths, signers[algorithm], decoys)
      const { payload } = await oracle(signers[algorithm]).verify(credential)
      expect(payload).toEqual({ ...claims, ...frame })
      expect(parseSdJwt(credential).claims).toEqual({ ...claims, ...frame })
    }),
    { numRuns: 200 },
  )
})

test('what the oracle issues reads the same here', async () => {
  await fc.assert(
    fc.asyncProperty(claimsWithPaths, alg, async ({ claims, paths }, algorithm) => {
      const full = { ...claims, ...frame }
      const credential = await oracle(signers[algorithm]).issue(full, frameOf(paths) as never)
      const parsed = parseSdJwt(credential)
      expect(parsed.claims).toEqual(full)
      const { publicKey } = signers[algorithm]
      expect(verifySignature(publicKey, parsed.jws.signingInput, parsed.jws.signature)).toBe(true)
    }),
    { numRuns: 200 },
  )
})

// Of claims side by side: the oracle passes over a disclosure inside a withheld one, which RFC 9901 section 7.1 step 5 refuses.
test('with any disclosures withheld, both see the same', async () => {
  await fc.assert(
    fc.asyncProperty(claimsWithPaths, fc.infiniteStream(fc.boolean()), async ({ claims, paths }, choice) => {
      const sideBySide = paths.filter((path) => path.length === 1)
      const [jwt = '', ...disclosures] = (await issued(claims, sideBySide, signers.EdDSA)).slice(0, -1).split('~')
      const shown = disclosures.filter(() => choice.next().value)
      const credential = `${[jwt, ...shown].join('~')}~`
      const { payload } = await oracle(signers.EdDSA).verify(credential)
      expect(parseSdJwt(credential).claims).toEqual(payload)
    }),
    { numRuns: 200 },
  )
})

test('nothing that is concealed stands in the signed part, nor how many claims there are', async () => {
  const { _sd: digests } = parseSdJwt(
    await issued({ a: 'secret one', b: { c: 'secret two' } }, [['a'], ['b', 'c'], ['b']], signers.EdDSA, 3),
  ).jws.payload
  expect(digests).toHaveLength(5)
  expect(digests).toEqual([...(digests as string[])].sort())
  const few = await issued({ a: 'x' }, [['a']], signers.EdDSA, 4)
  expect(parseSdJwt(few).jws.payload._sd).toHaveLength(5)
  expect(JSON.stringify(parseSdJwt(few).jws.payload)).not.toContain('"a"')
})

test.each(['_sd', '_sd_alg', '...'])('no claim may be named %s', async (reserved) => {
  await expect(issued({ outer: [{ [reserved]: 1 }] }, [], signers.EdDSA)).rejects.toThrow(
    expect.objectContaining({ code: 'invalid-credential' }),
  )
})

test('a source that gives fewer random bytes than asked for issues nothing', async () => {
  const request = { header: { typ: 'dc+sd-jwt' }, claims: { a: 1 }, disclosable: [['a']], decoys: 0 }
  await expect(issueSdJwt({ ...request, signer: signers.EdDSA, randomBytes: () => new Uint8Array(8) })).rejects.toThrow(
    TypeError,
  )
})

test('a disclosure inside one that is withheld is refused', async () => {
  const credential = await issued({ outer: { inner: 1 } }, [['outer'], ['outer', 'inner']], signers.EdDSA)
  const [jwt, inner] = credential.split('~')
  expect(() => parseSdJwt(`${jwt}~${inner}~`)).toThrow(expect.objectContaining({ code: 'invalid-credential' }))
})

import { gunzipSync, gzipSync } from 'node:zlib'
import { signJws } from '@tillit/keys'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { authorityDid, documentOf, now, resolverOver, rootDid, signerOf } from '../test/city.ts'
import {
  bitstringOf,
  bitstringValueAt,
  decodeBitstring,
  encodeBitstring,
  type StatusPurpose,
} from './bitstring-status-list.ts'
import {
  type BitstringIssuance,
  bitstringStatusReader,
  signBitstringStatusList,
  verifyBitstringStatusList,
} from './bitstring-status-list-credential.ts'
import { statusAt } from './status-list.ts'

const gzip = (bytes: Uint8Array) => new Uint8Array(gzipSync(bytes))
const gunzip = (bytes: Uint8Array, maxOutputLength: number) => new Uint8Array(gunzipSync(bytes, { maxOutputLength }))
const uri = 'https://city.example/credentials/status-lists/1/revocation'

describe('a bitstring', () => {
  test('says of every entry what the Status List of the same bitmap says', () => {
    const states = fc.array(fc.constantFrom(0, 1, 2), { minLength: 4, maxLength: 400 })
    fc.assert(
      fc.property(states, (values) => {
        const bytes = new Uint8Array(Math.ceil(values.length / 4))
        values.forEach((value, i) => {
          bytes[i >> 2] = (bytes[i >> 2] ?? 0) | (value << ((i % 4) * 2))
        })
        const list = { bits: 2, bytes } as const
        const of = (purpose: StatusPurpose) => bitstringOf(list, purpose)
        const [revoked, suspended] = [of('revocation'), of('suspension')]
        return values.every((_, i) => {
          const status = statusAt(list, i)
          return (
            (bitstringValueAt(revoked, i) === 1) === (status === 'revoked') &&
            (bitstringValueAt(suspended, i) === 1) === (status === 'suspended')
          )
        })
      }),
    )
  })

  test('begins with its leftmost bit', () => {
    const bytes = Uint8Array.of(0b00_00_00_01, 0b10_00_00_00)
    expect(bitstringOf({ bits: 2, bytes }, 'revocation')[0]).toBe(0b1000_0000)
    expect(bitstringOf({ bits: 2, bytes }, 'suspension')[0]).toBe(0b0000_0001)
  })

  test('has at least 131,072 entries', () => {
    expect(bitstringOf({ bits: 2, bytes: new Uint8Array(128) }, 'revocation')).toHaveLength(16_384)
    expect(() => decodeBitstring(encodeBitstring(new Uint8Array(16_383), gzip), gunzip)).toThrow('131,072')
  })

  test('that the specification prints (section 2.2) has no entry set', () => {
    const printed = 'uH4sIAAAAAAAAA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA'
    const bitstring = decodeBitstring(printed, gunzip)
    expect(bitstring).toHaveLength(16_384)
    expect(bitstring.every((byte) => byte === 0)).toBe(true)
  })

  test('is refused when it is not multibase base64url of gzip, or too large', () => {
    const bomb = encodeBitstring(new Uint8Array(9 * 1024 * 1024), gzip)
    for (const text of [undefined, 7, 'H4sIAAAA', 'zH4sIAAAA', 'u', 'u!!', 'uAAAA', bomb])
      expect(() => decodeBitstring(text, gunzip)).toThrow(expect.objectContaining({ code: 'invalid-status-list' }))
  })

  test.each([-1, 0.5, 131_072, Number.NaN, 2 ** 53])('has no entry %s', (index) => {
    expect(() => bitstringValueAt(new Uint8Array(16_384), index)).toThrow('outside')
  })

  test('may have entries of several bits', () => {
    const bitstring = new Uint8Array(16_384)
    bitstring[1] = 0b0110_0000
    expect(bitstringValueAt(bitstring, 4, 2)).toBe(0b01)
    expect(bitstringValueAt(bitstring, 5, 2)).toBe(0b10)
    expect(() => bitstringValueAt(bitstring, 65_536, 2)).toThrow('outside')
  })
})

async function signed(changes: Partial<BitstringIssuance> = {}, set: number[] = [7]): Promise<string> {
  const bitstring = new Uint8Array(16_384)
  for (const index of set) bitstring[index >> 3] = 0x80 >> (index & 7)
  return signBitstringStatusList({
    uri,
    purpose: 'revocation',
    issuerDid: authorityDid,
    keyId: `${authorityDid}#key-1`,
    signer: await signerOf('authority'),
    encodedList: encodeBitstring(bitstring, gzip),
    issuedAt: now,
    expires: new Date(now.getTime() + 3_600_000),
    ttlSeconds: 1,
    ...changes,
  })
}

async function verifyOptions(at = now) {
  const resolveDid = resolverOver(await Promise.all(['authority', 'stranger', 'registrar'].map(documentOf)))
  return { uri, issuerDids: [authorityDid], resolveDid, now: at, gunzip }
}

describe('a BitstringStatusListCredential', () => {
  test.each([
    ['revocation', 'revoked'],
    ['suspension', 'suspended'],
  ] as const)('of %s tells who is %s', async (purpose, status) => {
    const jwt = await signed({ purpose })
    const options = await verifyOptions()
    const read = bitstringStatusReader({ ...options, now: () => now, fetchCredential: async () => jwt })
    expect([await read(uri, 7), await read(uri, 8)]).toEqual([status, 'valid'])
  })

  test('has the form that Bitstring Status List v1.0 section 2.2 asks for', async () => {
    const [, payload = ''] = (await signed()).split('.')
    expect(JSON.parse(Buffer.from(payload, 'base64url').toString())).toEqual({
      '@context': ['https://www.w3.org/ns/credentials/v2'],
      id: uri,
      type: ['VerifiableCredential', 'BitstringStatusListCredential'],
      issuer: authorityDid,
      validFrom: now.toISOString(),
      validUntil: new Date(now.getTime() + 3_600_000).toISOString(),
      credentialSubject: {
        id: `${uri}#list`,
        type: 'BitstringStatusList',
        statusPurpose: 'revocation',
        encodedList: expect.stringMatching(/^u[A-Za-z0-9_-]+$/),
        ttl: 1000,
      },
    })
  })

  const aDay = 86_400_000
  test.each<[string, string, () => Promise<string>, number?]>([
    ['for another address', 'invalid-status-list', () => signed({ uri: `${uri}x` })],
    ['of somebody who is not asked', 'untrusted-issuer', () => signed({ issuerDid: rootDid })],
    ['signed by another key', 'invalid-signature', async () => signed({ signer: await signerOf('stranger') })],
    ['that is a minute old', 'status-unknown', () => signed(), 61_000],
    ['from the future', 'status-unknown', () => signed(), -61_000],
    ['that has expired', 'status-unknown', () => signed({ expires: now })],
    [
      'without times',
      'invalid-status-list',
      async () =>
        signJws(
          { typ: 'vc+jwt', kid: `${authorityDid}#key-1` },
          { id: uri, issuer: authorityDid, type: ['BitstringStatusListCredential'] },
          await signerOf('authority'),
        ),
    ],
    [
      'that is a Status List Token',
      'invalid-jws',
      async () =>
        signJws(
          { typ: 'statuslist+jwt', kid: `${authorityDid}#key-1` },
          { issuer: authorityDid },
          await signerOf('authority'),
        ),
    ],
    ['that is no JWS', 'invalid-status-list', async () => 'x'],
  ])('%s is refused: %s', async (_what, code, make, later = 0) => {
    const jwt = await make()
    const verifying = verifyBitstringStatusList(jwt, await verifyOptions(new Date(now.getTime() + later)))
    await expect(verifying).rejects.toMatchObject({ code })
  })

  test('may be as old as the verifier says, until it expires', async () => {
    const jwt = await signed({ expires: new Date(now.getTime() + aDay) })
    const after = async (milliseconds: number) =>
      verifyBitstringStatusList(jwt, {
        ...(await verifyOptions(new Date(now.getTime() + milliseconds))),
        maxAgeSeconds: 2 * 86_400,
      })
    expect((await after(aDay - 1)).asOf).toEqual(now)
    await expect(after(aDay)).rejects.toMatchObject({ code: 'status-unknown' })
  })
})

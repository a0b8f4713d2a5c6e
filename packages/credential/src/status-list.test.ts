import { fromHex } from '@tillit/codec'
import type { ProblemCode } from '@tillit/problem'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { authorityDid, cityOptions, deflate, didOf, inflate, now, signerOf, statusUri } from '../test/city.ts'
import { decodeStatusList, encodeStatusList, statusAt, valueAt } from './status-list.ts'
import { type StatusListIssuance, signStatusList, statusReader, verifyStatusList } from './status-list-token.ts'

const refused = (code: ProblemCode) => expect.objectContaining({ name: 'Problem', code })

describe('the vectors of the IETF Token Status List', () => {
  test('one bit: eNrbuRgAAhcBXQ is B9 A3', () => {
    const list = decodeStatusList({ bits: 1, lst: 'eNrbuRgAAhcBXQ' }, inflate)
    expect(list.bytes).toEqual(fromHex('b9a3'))
    const statuses = Array.from({ length: 16 }, (_, idx) => valueAt(list, idx))
    expect(statuses).toEqual([1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1])
  })

  test('two bits: eNo76fITAAPfAgc is C9 44 F9', () => {
    const list = decodeStatusList({ bits: 2, lst: 'eNo76fITAAPfAgc' }, inflate)
    expect(list.bytes).toEqual(fromHex('c944f9'))
    const statuses = Array.from({ length: 12 }, (_, idx) => valueAt(list, idx))
    expect(statuses).toEqual([1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3])
  })
})

test('any list decodes to what was encoded', () => {
  const bits = fc.constantFrom(1 as const, 2 as const, 4 as const, 8 as const)
  fc.assert(
    fc.property(bits, fc.uint8Array({ minLength: 1, maxLength: 200 }), (width, bytes) => {
      const encoded = encodeStatusList({ bits: width, bytes }, deflate)
      expect(decodeStatusList(encoded, inflate)).toEqual({ bits: width, bytes })
    }),
  )
})

test.each([
  ['an index beyond the list', { bits: 2, lst: 'eNo76fITAAPfAgc' }, 12],
  ['an index below zero', { bits: 2, lst: 'eNo76fITAAPfAgc' }, -1],
  ['a status that nobody defined', { bits: 2, lst: 'eNo76fITAAPfAgc' }, 3],
  ['a width that does not exist', { bits: 3, lst: 'eNo76fITAAPfAgc' }, 0],
  ['a list that is not zlib', { bits: 2, lst: 'AAAA' }, 0],
  ['a list that is missing', undefined, 0],
])('%s is no status', (_, encoded, idx) => {
  expect(() => statusAt(decodeStatusList(encoded, inflate), idx)).toThrow(refused('invalid-status-list'))
})

test('a list that inflates beyond the limit is refused', () => {
  const bomb = encodeStatusList({ bits: 8, bytes: new Uint8Array(9 * 1024 * 1024) }, deflate)
  expect(() => decodeStatusList(bomb, inflate)).toThrow(refused('invalid-status-list'))
})

describe('a status list token', () => {
  const list = encodeStatusList({ bits: 2, bytes: Uint8Array.of(0b0010_0100) }, deflate)

  async function tokenBy(name: string, changes: Partial<StatusListIssuance> = {}): Promise<string> {
    return signStatusList({
      uri: statusUri,
      issuerDid: didOf(name),
      keyId: `${didOf(name)}#key-1`,
      signer: await signerOf(name),
      list,
      issuedAt: now,
      expires: new Date(now.getTime() + 60_000),
      ttlSeconds: 1,
      ...changes,
    })
  }

  async function verify(token: string, uri = statusUri) {
    const { resolveDid } = await cityOptions()
    return verifyStatusList(token, { uri, issuerDids: [authorityDid], resolveDid, now, inflate })
  }

  test('answers each index', async () => {
    const { resolveDid } = await cityOptions()
    const token = await tokenBy('authority')
    const read = statusReader({
      fetchToken: async () => token,
      issuerDids: [authorityDid],
      resolveDid,
      now: () => now,
      inflate,
    })
    expect(await Promise.all([0, 1, 2, 3].map((idx) => read(statusUri, idx)))).toEqual([
      'valid',
      'revoked',
      'suspended',
      'valid',
    ])
  })

  test('of the issuer of the credential is refused where only the authority keeps status', async () => {
    await expect(verify(await tokenBy('utility'))).rejects.toThrow(refused('untrusted-issuer'))
  })

  test('signed with the key of the credential in the name of the authority is refused', async () => {
    const forged = await tokenBy('authority', { signer: await signerOf('utility') })
    await expect(verify(forged)).rejects.toThrow(refused('invalid-signature'))
    const otherKey = await tokenBy('utility', { issuerDid: authorityDid })
    await expect(verify(otherKey)).rejects.toThrow(refused('invalid-credential-signature'))
  })

  test('of another address is refused', async () => {
    const token = await tokenBy('authority', { uri: 'https://city.example/credentials/status-lists/2' })
    await expect(verify(token)).rejects.toThrow(refused('invalid-status-list'))
  })

  test('that is out of date is refused, so that an old list cannot undo a revocation', async () => {
    const token = await tokenBy('authority', { issuedAt: new Date(now.getTime() - 61_000), expires: now })
    await expect(verify(token)).rejects.toThrow(refused('status-unknown'))
  })

  test('that is no JWT is refused', async () => {
    await expect(verify('<html></html>')).rejects.toThrow(refused('invalid-status-list'))
  })
})

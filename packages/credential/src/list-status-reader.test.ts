import { gunzipSync, gzipSync } from 'node:zlib'
import type { ProblemCode } from '@tillit/problem'
import { expect, test } from 'vitest'
import { authorityDid, cityOptions, deflate, inflate, now, signerOf, statusUri } from '../test/city.ts'
import { encodeBitstring } from './bitstring-status-list.ts'
import { signBitstringStatusList } from './bitstring-status-list-credential.ts'
import { listStatusReader } from './list-status-reader.ts'
import { encodeStatusList } from './status-list.ts'
import { signStatusList } from './status-list-token.ts'

const refused = (code: ProblemCode) => expect.objectContaining({ name: 'Problem', code })

const published = {
  ...{ uri: statusUri, issuerDid: authorityDid, keyId: `${authorityDid}#key-1`, signer: await signerOf('authority') },
  ...{ issuedAt: now, expires: new Date(now.getTime() + 3_600_000), ttlSeconds: 60 },
}
const { resolveDid } = await cityOptions()
const reader = (list: string) => ({
  ...{ issuerDids: [authorityDid], resolveDid, inflate, now: () => now, fetchList: async () => list },
})

const bitstring = new Uint8Array(16_384)
bitstring[0] = 0b0100_0000
const bitstringList = await signBitstringStatusList({
  ...published,
  purpose: 'suspension',
  encodedList: encodeBitstring(bitstring, (bytes) => new Uint8Array(gzipSync(bytes))),
})

test('a Status List Token and a Bitstring Status List are each read as what they are', async () => {
  const token = await signStatusList({
    ...published,
    list: encodeStatusList({ bits: 2, bytes: Uint8Array.of(4) }, deflate),
  })
  const ofToken = listStatusReader(reader(token))
  expect([await ofToken(statusUri, 0), await ofToken(statusUri, 1)]).toEqual(['valid', 'revoked'])
  const ofBitstring = listStatusReader({
    ...reader(bitstringList),
    gunzip: (bytes) => new Uint8Array(gunzipSync(bytes)),
  })
  expect([await ofBitstring(statusUri, 0), await ofBitstring(statusUri, 1)]).toEqual(['valid', 'suspended'])
})

test('without gunzip a Bitstring Status List is not taken for anything', async () => {
  await expect(listStatusReader(reader(bitstringList))(statusUri, 0)).rejects.toThrow(refused('feature-not-supported'))
})

test('what is no list is refused', async () => {
  await expect(listStatusReader(reader('<html>'))(statusUri, 0)).rejects.toThrow(refused('invalid-status-list'))
})

import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { verifyEcosystemJwt, withFreshKeys } from '@tillit/credential'
import {
  createCachedResolver,
  createDid,
  createResolver,
  type DidState,
  formatDidLog,
  nextDidState,
  rotateDid,
  webvhLocation,
} from '@tillit/did'
import { createForeignHosts } from '@tillit/http'
import { type Signer, signerFromSeed, signJws, toMultikey } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import type { DidLogEntry } from '@tillit/schemas'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { testCertificate, testCertificateKey } from '../packages/http/src/test-certificate.fixture.ts'

/** What the foreign host serves, by path. */
const files = new Map<string, string>()
const server = createServer({ key: testCertificateKey, cert: testCertificate }, (request, response) => {
  asked++
  const text = files.get(request.url ?? '')
  response.writeHead(text === undefined ? 404 : 200).end(text)
})
let asked = 0
let clock: number
let host: string
let resolver: ReturnType<typeof createCachedResolver>
let keys: [Signer, Signer, Signer]

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  host = `dids.example:${(server.address() as AddressInfo).port}`
  const [one, two, three] = await Promise.all([41, 42, 43].map((seed) => signerFromSeed(new Uint8Array(32).fill(seed))))
  if (one === undefined || two === undefined || three === undefined) throw new Error('no signers')
  keys = [one, two, three]
})
afterAll(() => new Promise((resolve) => server.close(resolve)))
beforeEach(() => {
  clock = Date.now()
  asked = 0
  const { fetchText } = createForeignHosts([host], {
    lookup: async () => [{ address: '127.0.0.1', family: 4 }],
    mayConnect: () => true,
    ca: testCertificate,
  })
  const now = () => new Date(clock)
  const plain = createResolver({ webvhLog: async () => null, webvhWitness: async () => null, fetchText, now })
  // As in the registry.
  resolver = createCachedResolver(plain, { now, maxEntries: 10, maxTtlSeconds: 300, negativeTtlSeconds: 30 })
})

const verify = (jwt: string) =>
  verifyEcosystemJwt(jwt, { resolveDid: resolver.resolve, now: new Date(clock), audience: null })

function sign(did: string, signer: Signer, key = toMultikey(signer.publicKey)): Promise<string> {
  const iat = Math.floor(clock / 1000)
  return signJws({ typ: 'JWT', kid: `${did}#${key}` }, { iss: did, sub: did, iat, exp: iat + 60 }, signer)
}

let names = 0
/** did:webvh: rotates by an entry; did:web: by another document with a key of the same name. */
async function rotatingDid(method: 'webvh' | 'web') {
  const [first, second] = keys
  const name = `d${++names}`
  const ago = (seconds: number) => new Date(clock - seconds * 1000)
  if (method === 'webvh') {
    const { did, entry, state } = await createDid({ host, path: [name], signer: first, now: ago(60) })
    const serve = (...entries: DidLogEntry[]) => files.set(webvhLocation(did).pathname, formatDidLog(entries))
    serve(entry)
    const rotate = async (before: DidState) => {
      const rotated = await rotateDid(before, {
        signer: first,
        updateKeys: [second.publicKey],
        keys: [second.publicKey],
        now: ago(30),
      })
      nextDidState({ state: before, entry: rotated, now: ago(0) })
      serve(entry, rotated)
    }
    return { did, rotate: () => rotate(state), signAs: (signer: Signer) => sign(did, signer) }
  }
  const did = `did:web:${host.replace(':', '%3A')}:${name}`
  const serve = ({ publicKey }: Signer) => {
    const id = `${did}#key`
    const verificationMethod = [{ id, type: 'Multikey', controller: did, publicKeyMultibase: toMultikey(publicKey) }]
    files.set(`/${name}/did.json`, JSON.stringify({ id: did, verificationMethod, assertionMethod: [id] }))
  }
  serve(first)
  return { did, rotate: async () => serve(second), signAs: (signer: Signer) => sign(did, signer, 'key') }
}

test.each(['webvh', 'web'] as const)(
  'what a foreign did:%s signs with the key that it rotated to is believed as soon as the host may be asked again',
  async (method) => {
    const { did, rotate, signAs } = await rotatingDid(method)
    const [first, second, third] = keys
    expect(await verify(await signAs(first))).toMatchObject({ issuer: did })
    const once = asked
    await rotate()
    await expect(verify(await signAs(second))).rejects.toMatchObject({ code: 'invalid-signature' })
    expect(asked).toBe(once)

    clock += 11_000
    expect(await verify(await signAs(second))).toMatchObject({ issuer: did })
    await expect(verify(await signAs(first))).rejects.toMatchObject({ code: 'invalid-signature' })
    const twice = asked
    for (let i = 0; i < 5; i++)
      await expect(verify(await signAs(third))).rejects.toMatchObject({ code: 'invalid-signature' })
    expect(asked).toBe(twice)
  },
)

test('only a signature that fails is a reason to ask again', async () => {
  const resolved: boolean[] = []
  const resolveDid = async (did: string, { fresh = false } = {}) => {
    resolved.push(fresh)
    return resolver.resolve(did)
  }
  const { did } = await rotatingDid('web')
  const fail = (code: 'credential-expired' | 'invalid-signature') =>
    withFreshKeys(resolveDid, async (resolve) => {
      await resolve(did)
      throw new Problem(code)
    })
  await expect(fail('credential-expired')).rejects.toMatchObject({ code: 'credential-expired' })
  expect(resolved).toEqual([false])
  await expect(fail('invalid-signature')).rejects.toMatchObject({ code: 'invalid-signature' })
  expect(resolved).toEqual([false, false, true])
})

import { randomBytes } from 'node:crypto'
import type { FetchCity } from '@tillit/client'
import { toHex } from '@tillit/codec'
import { mlDsa44SignerFromSeed, signerFromSeed } from '@tillit/keys'
import { cosignCheckpoint, formatCheckpoint, formatVerifierKey, signCheckpoint, verifierKey } from '@tillit/log'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { logOrigin } from '../../services/registry/src/witness.fixture.ts'
import { createLogObserver, type LogObserver } from './log-observer.ts'
import { openRegistryInUse, type RegistryInUse } from './registry-in-use.ts'
import { fetchThrough } from './registry-site.ts'
import { policyOf } from './the-witness.ts'

// What holds the registry to its word in the other tests has to object to every way of breaking it.
const log = await signerFromSeed(new Uint8Array(32).fill(1))
const witness = new Uint8Array(32).fill(5)
const cosigners = [await signerFromSeed(witness), await mlDsa44SignerFromSeed(witness)]
const logKey = verifierKey(logOrigin, log.publicKey)

let inUse: RegistryInUse
let honest: FetchCity
let size: number
let observer: LogObserver
beforeAll(async () => {
  inUse = await openRegistryInUse()
  honest = fetchThrough(inUse.running)
  size = inUse.site.observer.largestSize
})
beforeEach(() => {
  observer = createLogObserver({ policy: policyOf(inUse.site.witness, logKey), vkey: formatVerifierKey(logKey) })
})
afterAll(() => inUse.close())

async function noteOf(root: Uint8Array, of: number, witnessed: boolean): Promise<string> {
  const checkpoint = { origin: logOrigin, size: of, root }
  const text = formatCheckpoint(checkpoint)
  const timestampSeconds = Math.floor(Date.now() / 1000)
  const lines = await Promise.all(
    cosigners.map((signer) => cosignCheckpoint(text, { name: 'witness.example', signer, timestampSeconds })),
  )
  return (await signCheckpoint(checkpoint, log)) + (witnessed ? lines.join('') : '')
}

const check = (fetchCity = honest, acknowledged: ReadonlySet<string> = new Set()) =>
  observer.check({ fetchCity, acknowledged, openings: [], rpcUrl: inUse.site.anvil.rpcUrl })

/** A city that answers one kind of path in a way of its own. */
function lying(prefix: string, change: (body: Uint8Array) => Uint8Array): FetchCity {
  return async (path, options) => {
    const { status, body } = await honest(path, options)
    return { status, body: path.startsWith(prefix) ? change(Uint8Array.from(body)) : body }
  }
}

function withOtherByte(body: Uint8Array): Uint8Array {
  body[body.length - 1] = (body.at(-1) ?? 0) ^ 1
  return body
}

test('the honest log passes', async () => {
  const { anchors, ...checked } = await check()
  expect(checked).toEqual({ size, checkpoints: 1 })
  expect(anchors).toBeGreaterThan(0)
})

describe('the observer objects to', () => {
  test('an entry that was acknowledged and is not there', async () => {
    await expect(check(honest, new Set([toHex(randomBytes(32))]))).rejects.toThrow()
  })

  test('an entry that is another one', async () => {
    await expect(check(lying('/log/tile/entries/', withOtherByte))).rejects.toThrow()
  })

  test('a tile that is not the one of its entries', async () => {
    await expect(check(lying('/log/tile/0/', withOtherByte))).rejects.toThrow()
  })

  test('an anchor that the city does not name', async () => {
    const empty = new TextEncoder().encode('{"anchors":[],"next_min_size":null}')
    await expect(check(lying('/registry/anchors', () => empty))).rejects.toThrow()
  })

  test('another tree of the same size, published', async () => {
    observer.seePublished(await noteOf(randomBytes(32), size, true), { atLeast: 0 })
    await expect(check()).rejects.toThrow('two roots')
  })

  test('another tree that was signed and shown to a witness only', async () => {
    observer.seeSigned(await noteOf(randomBytes(32), size - 1, false))
    await expect(check()).rejects.toThrow()
  })

  test('a checkpoint without its quorum', async () => {
    const note = await noteOf(randomBytes(32), size, false)
    expect(() => observer.seePublished(note, { atLeast: 0 })).toThrow(
      expect.objectContaining({ code: 'checkpoint-not-witnessed' }),
    )
  })

  test('a log that has become smaller', async () => {
    const note = await noteOf(randomBytes(32), size - 1, true)
    expect(() => observer.seePublished(note, { atLeast: size })).toThrow('and now one of')
  })

  test('a log that begins with other entries than before', async () => {
    await check()
    await inUse.work()
    await inUse.site.settled(inUse.running)
    await expect(check(lying('/log/tile/entries/', (body) => body.with(3, (body[3] ?? 0) ^ 1)))).rejects.toThrow()
  })
})

import { type Signer, signerFromSeed, toMultikey } from '@tillit/keys'
import { isProblem } from '@tillit/problem'
import type { DidLogEntry } from '@tillit/schemas'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  createDid,
  type DidState,
  deactivateDid,
  formatDidLog,
  nextDidState,
  parseDidLog,
  rotateDid,
  updateDid,
  verifyDidLog,
} from './index.ts'

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute))
const now = at(59)

let keys: Signer[]
let log: DidLogEntry[]

function key(index: number): Signer {
  const signer = keys[index]
  if (signer === undefined) throw new RangeError('no such test key')
  return signer
}

function append(state: DidState, entry: DidLogEntry): DidState {
  return nextDidState({ state, entry, now })
}

/** Four versions: created, updated, rotated into pre-rotation, and rotated once more under it. */
async function makeLog(): Promise<DidLogEntry[]> {
  const created = await createDid({ host: 'city.example', path: ['parties', 'grid'], signer: key(0), now: at(1) })
  const updated = await updateDid(created.state, { signer: key(0), keys: [key(4).publicKey], now: at(2) })
  const afterUpdate = append(created.state, updated)
  const committed = await rotateDid(afterUpdate, {
    signer: key(0),
    updateKeys: [key(1).publicKey],
    nextKeys: [key(2).publicKey],
    now: at(3),
  })
  const afterCommit = append(afterUpdate, committed)
  const rotated = await rotateDid(afterCommit, { signer: key(2), nextKeys: [key(3).publicKey], now: at(4) })
  return [created.entry, updated, committed, rotated]
}

beforeAll(async () => {
  keys = await Promise.all(Array.from({ length: 6 }, (_, index) => signerFromSeed(new Uint8Array(32).fill(index + 1))))
  log = await makeLog()
})

describe('a did:webvh log', () => {
  test('verifies, and its last state says who may sign next', () => {
    const state = verifyDidLog(log, { now })
    expect(state).toMatchObject({
      versionNumber: 4,
      deactivated: false,
      portable: false,
      witness: null,
      ttlSeconds: 3600,
    })
    expect(state.did).toMatch(/^did:webvh:Qm[1-9A-Za-z]{44}:city\.example:parties:grid$/)
    expect(state.updateKeys).toEqual([toMultikey(key(2).publicKey)])
    expect(state.nextKeyHashes).toHaveLength(1)
    expect(state.document.verificationMethod?.[0]?.publicKeyMultibase).toBe(toMultikey(key(4).publicKey))
  })

  test('survives its text form', () => {
    expect(parseDidLog(formatDidLog(log))).toEqual(log)
  })

  test('keeps its state through JSON, so a state can be stored', async () => {
    const state = verifyDidLog(log, { now })
    const stored = JSON.parse(JSON.stringify(state)) as DidState
    expect(stored).toEqual(state)
    const entry = await deactivateDid(stored, { signer: key(3), now: at(5) })
    expect(append(state, entry).deactivated).toBe(true)
  })

  test('fails when any character of any entry is changed', () => {
    const text = formatDidLog(log)
    fc.assert(
      fc.property(fc.nat(text.length - 2), fc.integer({ min: 1, max: 94 }), (position, shift) => {
        const code = text.charCodeAt(position)
        const changed = String.fromCharCode(((code - 32 + shift + 95) % 95) + 32)
        fc.pre(text.charAt(position) !== '\n' && changed !== text.charAt(position))
        const forged = text.slice(0, position) + changed + text.slice(position + 1)
        expect(() => verifyDidLog(parseDidLog(forged), { now })).toThrow()
      }),
      { numRuns: 400 },
    )
  })

  test('verifies in its order from the first entry on, and in no other', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(log.length - 1), { minLength: 1, maxLength: 5 }), (order) => {
        const isPrefix = order.every((value, index) => value === index)
        const entries = order.flatMap((index) => log[index] ?? [])
        if (isPrefix) expect(verifyDidLog(entries, { now }).versionNumber).toBe(order.length)
        else expect(() => verifyDidLog(entries, { now })).toThrow()
      }),
    )
  })
})

describe('whoever holds the key', () => {
  test('cannot update with a key that was rotated away', async () => {
    const created = await createDid({ host: 'city.example', path: [], signer: key(0), now: at(1) })
    const rotation = await rotateDid(created.state, { signer: key(0), updateKeys: [key(1).publicKey], now: at(2) })
    const state = append(created.state, rotation)
    await expect(updateDid(state, { signer: key(0), now: at(3) })).rejects.toThrow('not by a key that may update')
  })

  test('cannot rotate to a key that was not committed to', async () => {
    const state = verifyDidLog(log, { now })
    await expect(rotateDid(state, { signer: key(5), nextKeys: [], now: at(5) })).rejects.toThrow('not committed to')
  })

  test('can end pre-rotation, and from then on the entry before names who may sign', async () => {
    const state = verifyDidLog(log, { now })
    const ended = append(state, await rotateDid(state, { signer: key(3), nextKeys: [], now: at(5) }))
    expect(ended.nextKeyHashes).toEqual([])
    expect(append(ended, await updateDid(ended, { signer: key(3), now: at(6) })).versionNumber).toBe(6)
  })

  test('cannot append to a deactivated DID', async () => {
    const state = verifyDidLog(log.slice(0, 2), { now })
    const ended = append(state, await deactivateDid(state, { signer: key(0), now: at(3) }))
    expect(ended.updateKeys).toEqual([])
    await expect(updateDid(ended, { signer: key(0), now: at(4) })).rejects.toThrow('deactivated')
  })

  test('adds services without losing keys, and keys without losing services', async () => {
    const services = (did: string) => [{ id: `${did}#api`, type: 'Api', serviceEndpoint: 'https://city.example/' }]
    const created = await createDid({ host: 'localhost:8080', path: [], signer: key(0), services, now: at(1) })
    expect(created.did).toContain(':localhost%3A8080')
    const entry = await updateDid(created.state, { signer: key(0), keys: [key(1).publicKey], now: at(2) })
    expect(entry.state.service).toEqual(services(created.did))
    expect(created.state.document.authentication).toHaveLength(1)
  })

  test('may not sign in the future, nor twice at the same time', async () => {
    const created = await createDid({ host: 'city.example', path: [], signer: key(0), now: at(2) })
    const early = nextDidStateError({ state: null, entry: created.entry, now: at(1) })
    expect(isProblem(early, 'invalid-did-log') && early.pointer).toBe('/versionTime')
    await expect(updateDid(created.state, { signer: key(0), now: at(2) })).rejects.toThrow('not after')
  })
})

function nextDidStateError(step: Parameters<typeof nextDidState>[0]): unknown {
  try {
    return nextDidState(step)
  } catch (error) {
    return error
  }
}

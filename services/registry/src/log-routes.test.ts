import { randomBytes } from 'node:crypto'
import { fromBase64url, fromHex, toHex } from '@tillit/codec'
import { addToOutbox, type TestDatabase, testDatabase } from '@tillit/database'
import { signerFromSeed } from '@tillit/keys'
import {
  commit,
  formatCosignerKey,
  leafHash,
  logEntry,
  parseCheckpoint,
  parseEntryBundle,
  parseLogEntry,
  parseNote,
  parseTrustPolicy,
  rootOfLeaves,
  verifyReceipt,
  verifyWithPolicy,
} from '@tillit/log'
import type { CheckpointList, DidAccepted, LeafProof, LedgerStatus, OpeningList, WitnessList } from '@tillit/schemas'
import type { WitnessPeer } from '@tillit/witness'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { RegistryTables } from './index.ts'
import { eventually, newDid, testRegistry } from './registry.fixture.ts'
import { membersOf, type TestWitness, testWitness, witnessedBy } from './witness.fixture.ts'

let database: TestDatabase
let city: Awaited<ReturnType<typeof testRegistry>>
let witness: TestWitness
let away = false
const logSigners = [await signerFromSeed(new Uint8Array(32).fill(1))]

beforeAll(async () => {
  database = await testDatabase()
  witness = await testWitness('witness.example', logSigners, { seed: 5, postQuantum: true })
  const peer: WitnessPeer = {
    addCheckpoint: async (body, signal) =>
      away ? { status: 503, contentType: 'text/plain', body: '' } : witness.addCheckpoint(body, signal),
  }
  city = await testRegistry(database, {
    logSigners,
    witnessing: witnessedBy(membersOf(witness, peer), { threshold: 2 }),
  })
  city.registry.start()
})
afterAll(async () => {
  await city.registry.stop()
  await city.app.close()
  await witness.close()
  await database.drop()
})
beforeEach(() => {
  away = false
})

async function submit(count = 1): Promise<Uint8Array[]> {
  const commitments = Array.from({ length: count }, () => new Uint8Array(randomBytes(32)))
  await database
    .connect<RegistryTables>('registry')
    .transaction()
    .execute(async (transaction) => {
      for (const commitment of commitments) await addToOutbox(transaction, 'registry', { kind: 'did', commitment })
    })
  return commitments
}

function proofOf(commitment: Uint8Array): Promise<LeafProof> {
  return eventually(async () => {
    const reply = await city.get(`/log/leaves/${toHex(commitment)}/proof`)
    expect(reply.statusCode).toBe(200)
    return reply.json<LeafProof>()
  })
}

const ledger = async () => (await city.get('/registry/ledger')).json<LedgerStatus>()

describe('a published checkpoint', () => {
  test('stays in the list of those that are kept, which is turned page by page', async () => {
    for (let published = 0; published < 3; published++) {
      const [commitment = new Uint8Array()] = await submit()
      await proofOf(commitment)
    }
    const newest = (await city.get('/log/checkpoint')).body
    const { checkpoints } = (await city.get('/log/checkpoints')).json<CheckpointList>()
    expect(checkpoints.length).toBeGreaterThanOrEqual(3)
    expect(checkpoints.map(({ note }) => note)).toContain(newest)
    expect(checkpoints.map(({ size }) => size)).toEqual(
      checkpoints.map(({ note }) => parseCheckpoint(parseNote(note).text).size).sort((a, b) => a - b),
    )
    const [, second, third] = checkpoints
    const page = await city.get(`/log/checkpoints?min_size=${second?.size}&limit=1`)
    expect(page.json<CheckpointList>()).toEqual({ checkpoints: [second], next_min_size: third?.size })
    expect(page.headers.link).toBe(`</log/checkpoints?min_size=${third?.size}&limit=1>; rel="next"`)
    expect((await city.get('/log/checkpoints?limit=101')).statusCode).toBe(400)
  })

  test('satisfies the policy that the log tells', async () => {
    const [commitment = new Uint8Array()] = await submit()
    await proofOf(commitment)
    const reply = await city.get('/log/checkpoint')
    expect(reply.headers['tillit-witnessing']).toBe('witnessed')
    const policy = parseTrustPolicy((await city.get('/log/policy')).body)
    const { cosignedBy } = verifyWithPolicy(reply.body, policy)
    expect(cosignedBy.length).toBe(2)
    const { witnesses } = (await city.get('/log/witnesses')).json<WitnessList>()
    expect(witnesses.map(({ vkey, own, fault }) => ({ vkey, own, fault }))).toEqual(
      witness.keys.map((key) => ({ vkey: formatCosignerKey(key), own: false, fault: null })),
    )
  })

  test('is all that the public sees while the witnesses are away', async () => {
    const [before = new Uint8Array()] = await submit()
    await proofOf(before)
    away = true
    const { latest_checkpoint: shown } = await ledger()
    const size = shown?.size ?? 0
    const [during = new Uint8Array()] = await submit(300)
    await eventually(async () => {
      const status = await ledger()
      expect(status.signed_size).toBeGreaterThanOrEqual(size + 300)
      expect(status.publishing_fault).toContain('quorum')
    })
    expect((await ledger()).latest_checkpoint).toEqual(shown)
    expect((await city.get('/log/checkpoint')).body.split('\n')[1]).toBe(String(size))
    expect((await city.get(`/log/leaves/${toHex(during)}/proof`)).statusCode).toBe(404)
    for (const path of ['0/000', 'entries/000', '1/000.p/1', `0/000.p/${size + 1}`, `entries/000.p/${size + 1}`])
      expect((await city.get(`/log/tile/${path}`)).statusCode).toBe(404)
    expect((await city.get(`/log/tile/0/000.p/${size}`)).statusCode).toBe(200)
    expect((await city.get(`/log/consistency?from=${size}&to=${size + 300}`)).statusCode).toBe(404)
    const list = (await city.get('/log/witnesses')).json<WitnessList>()
    expect(list.fault).toContain('quorum')
    expect(list.witnesses.map(({ fault }) => fault)).toEqual(['it answered 503', 'it answered 503'])

    away = false
    await proofOf(during)
    expect(await ledger()).toMatchObject({ publishing_fault: null, latest_checkpoint: { size: size + 300 } })
    expect((await city.get('/log/tile/0/000')).statusCode).toBe(200)
  })
})

describe('an entry', () => {
  const register = async (listed: boolean) => {
    const { entry, did } = await newDid()
    const { opening } = (await city.post('/dids', { entry, listed })).json<DidAccepted>()
    const leaf = await proofOf(fromHex(opening.commitment))
    return { did, entry: { ...entry }, opening, leaf }
  }
  const receiptOf = ({ entry, opening, leaf }: Awaited<ReturnType<typeof register>>) => ({
    type: 'tillit-receipt/v1' as const,
    city: 'http://localhost:8080',
    opening: { ...opening, entry },
    leaf,
  })
  const loggedEntry = async (index: number) => {
    const width = ((await ledger()).latest_checkpoint?.size ?? 0) - Math.floor(index / 256) * 256
    const name = String(Math.floor(index / 256)).padStart(3, '0')
    const bundle = await city.get(`/log/tile/entries/${name}${width >= 256 ? '' : `.p/${width}`}`)
    return parseEntryBundle(new Uint8Array(bundle.rawPayload))[index % 256] ?? new Uint8Array()
  }

  test('of a listed DID is opened by the log itself, and its receipt says so', async () => {
    const listed = await register(true)
    const entry = parseLogEntry(await loggedEntry(listed.leaf.index))
    expect(toHex(entry.commitment)).toBe(listed.opening.commitment)
    expect(entry.publicSalt).toEqual(fromBase64url(listed.opening.salt))
    expect(toHex(commit(entry.publicSalt ?? new Uint8Array(), listed.entry))).toBe(listed.opening.commitment)
    expect(listed.leaf.entry).toBe(toHex(logEntry(entry.commitment, entry.publicSalt)))
    expect(verifyReceipt(receiptOf(listed), { vkey: city.registry.logVkey })).toMatchObject({
      index: listed.leaf.index,
    })
  })

  test('of an unlisted DID is a commitment alone', async () => {
    const unlisted = await register(false)
    expect(toHex(await loggedEntry(unlisted.leaf.index))).toBe(unlisted.opening.commitment)
    expect(unlisted.leaf.entry).toBeUndefined()
    expect(verifyReceipt(receiptOf(unlisted), { vkey: city.registry.logVkey })).toMatchObject({
      index: unlisted.leaf.index,
    })
  })

  test('of a listed DID is in the list of openings, in the order of the log', async () => {
    const all = [await register(true), await register(false), await register(true), await register(true)]
    const from = all[0]?.leaf.index ?? 0
    const pages: OpeningList['openings'] = []
    let next: number | null = from
    while (next !== null) {
      const reply = await city.get(`/log/openings?from=${next}&limit=2`)
      const list = reply.json<OpeningList>()
      expect(reply.headers.link === undefined).toBe(list.next_from === null)
      pages.push(...list.openings)
      next = list.next_from
    }
    const listed = all.filter(({ leaf }) => leaf.entry !== undefined)
    expect(pages.map(({ index }) => index)).toEqual(listed.map(({ leaf }) => leaf.index))
    expect(pages.map(({ index: _, ...opening }) => opening)).toEqual(
      listed.map(({ opening, entry }) => ({ ...opening, entry })),
    )
  })
})

describe('tiles', () => {
  test('that are full are cached for good, and anyone in any browser may read them', async () => {
    await submit(260)
    const tile = await eventually(async () => {
      const reply = await city.get('/log/tile/0/000')
      expect(reply.statusCode).toBe(200)
      return reply
    })
    expect(tile.headers).toMatchObject({
      'cache-control': 'public, max-age=31536000, immutable',
      'access-control-allow-origin': '*',
      'content-type': 'application/octet-stream',
    })
    const etag = String(tile.headers.etag)
    const again = await city.get('/log/tile/0/000', { 'if-none-match': etag })
    expect({ status: again.statusCode, body: again.body }).toEqual({ status: 304, body: '' })
    const head = await city.app.inject({ method: 'HEAD', url: '/log/tile/0/000' })
    expect({ status: head.statusCode, etag: head.headers.etag, body: head.body }).toEqual({
      status: 200,
      etag,
      body: '',
    })
    const bundle = await city.get('/log/tile/entries/000')
    const leaves = parseEntryBundle(new Uint8Array(bundle.rawPayload)).map(leafHash)
    expect(tile.rawPayload.toString('hex')).toBe(leaves.map(toHex).join(''))
    const parent = await city.get('/log/tile/1/000.p/1')
    expect(parent.rawPayload.toString('hex')).toBe(toHex(rootOfLeaves(leaves)))
  })

  test('that name no tile are not found, with any path', async () => {
    for (const path of [
      '0/000.p/0',
      '0/x000/000',
      '64/000',
      '7/000',
      '6/x999/x999/x999/x999/999',
      'entries/',
      '../log',
    ])
      expect((await city.get(`/log/tile/${path}`)).statusCode).toBe(404)
  })
})

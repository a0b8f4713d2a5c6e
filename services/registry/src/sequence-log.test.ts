import { randomBytes } from 'node:crypto'
import { fromHex, toBase64url, toHex } from '@tillit/codec'
import { addToOutbox, type Database, type TestDatabase, testDatabase } from '@tillit/database'
import { signerFromSeed } from '@tillit/keys'
import {
  commit,
  leafHash,
  parseEntryBundle,
  parseVerifierKey,
  rootOfLeaves,
  verifyCheckpoint,
  verifyConsistency,
  verifyReceipt,
} from '@tillit/log'
import type { LeafProof, Receipt } from '@tillit/schemas'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { RegistryTables } from './index.ts'
import { createLogStore, type LogStore, type LogWriter } from './log-store.ts'
import { eventually, testRegistry } from './registry.fixture.ts'
import { sequenceOutboxes, signNewCheckpoint } from './sequence-log.ts'

let database: TestDatabase
let registry: Database<RegistryTables>
let log: LogStore
beforeEach(async () => {
  database = await testDatabase()
  registry = database.connect<RegistryTables>('registry')
  log = createLogStore(registry)
})
afterEach(() => database.drop())

let clock = Date.parse('2026-01-01T00:00:00Z')
const ports = {
  // Each look at the clock is two seconds later, so that every pass may sign.
  now: () => {
    clock += 2000
    return new Date(clock)
  },
  logOrigin: 'localhost:8080/log',
  logSigners: [await signerFromSeed(new Uint8Array(32).fill(1))],
}

const newCommitments = (count: number) => Array.from({ length: count }, () => new Uint8Array(randomBytes(32)))

async function submit(commitments: readonly Uint8Array[]): Promise<void> {
  await registry.transaction().execute(async (transaction) => {
    for (const commitment of commitments) await addToOutbox(transaction, 'registry', { kind: 'did', commitment })
  })
}

async function leavesOf(store: LogStore): Promise<string[]> {
  return (await store.readEntries(0, 1_000_000)).map(toHex)
}

/** What must hold whatever happened: dense, once each, tiles and the newest checkpoint agree with the leaves. */
async function requireSoundLog(expected: readonly Uint8Array[]): Promise<void> {
  await settle(log)
  const leaves = await leavesOf(log)
  expect([...leaves].sort()).toEqual(expected.map(toHex).sort())
  const checkpoint = await log.newestSigned()
  expect(checkpoint?.size).toBe(leaves.length)
  expect(toHex(checkpoint?.root ?? new Uint8Array())).toBe(
    toHex(rootOfLeaves(leaves.map((leaf) => leafHash(fromHex(leaf))))),
  )
}

async function settle(store: LogStore): Promise<void> {
  while ((await sequenceOutboxes(store, ports)) > 0);
  await signNewCheckpoint(store, ports)
}

describe('the sequencer', () => {
  test('drains the outboxes of all services in one order', async () => {
    const commitments = newCommitments(5)
    const schemas = ['registry', 'credentials', 'authorization', 'permissions', 'metering'] as const
    for (const [i, schema] of schemas.entries()) {
      await addToOutbox(database.connect(schema), schema, {
        kind: 'did',
        commitment: commitments[i] ?? new Uint8Array(),
      })
    }
    expect(await sequenceOutboxes(log, ports)).toBe(5)
    expect(await leavesOf(log)).toEqual(commitments.map(toHex))
    await requireSoundLog(commitments)
  })

  test('keeps the order of each outbox, whatever the clocks of its transactions say', async () => {
    const [first = new Uint8Array(), second = new Uint8Array(), other = new Uint8Array()] = newCommitments(3)
    const put = (schema: string, commitment: Uint8Array, at: string) =>
      sql`INSERT INTO ${sql.table(`${schema}.outbox`)} (kind, commitment, created_at)
        VALUES ('did', ${Buffer.from(commitment)}, ${at})`.execute(database.connect(schema as 'registry' | 'metering'))
    await put('registry', first, '2026-01-01T00:00:03Z')
    await put('registry', second, '2026-01-01T00:00:01Z')
    await put('metering', other, '2026-01-01T00:00:02Z')
    await sequenceOutboxes(log, ports)
    expect(await leavesOf(log)).toEqual([other, first, second].map(toHex))
  })

  test('logs a commitment once, however often it was submitted', async () => {
    const commitments = newCommitments(3)
    await submit([...commitments, ...commitments])
    await settle(log)
    await submit(commitments)
    await requireSoundLog(commitments)
  })

  test('signs no empty tree, and not twice for one size or within a second', async () => {
    expect(await signNewCheckpoint(log, ports)).toBe(false)
    await submit(newCommitments(1))
    await settle(log)
    expect(await signNewCheckpoint(log, ports)).toBe(false)
    await submit(newCommitments(1))
    await sequenceOutboxes(log, ports)
    const stopped = new Date(((await log.newestSigned())?.signedAt.getTime() ?? 0) + 999)
    expect(await signNewCheckpoint(log, { ...ports, now: () => stopped })).toBe(false)
    expect(await signNewCheckpoint(log, ports)).toBe(true)
  })

  test('two at once never fork the log, lose an entry or log one twice', async () => {
    const commitments = newCommitments(400)
    const other = createLogStore(database.connect<RegistryTables>('registry'))
    const submitting = (async () => {
      for (let i = 0; i < commitments.length; i += 20) await submit(commitments.slice(i, i + 20))
    })()
    const stores = [log, other, log, other]
    await Promise.all([submitting, ...stores.map((store) => repeat(30, () => settle(store)))])
    await requireSoundLog(commitments)
  })

  test('neither a leaf nor a checkpoint can be changed afterwards', async () => {
    await submit(newCommitments(1))
    await settle(log)
    const change = registry
      .updateTable('registry.leaves')
      .set({ commitment: Buffer.alloc(32) })
      .execute()
    await expect(change).rejects.toThrow('append-only')
    await expect(registry.deleteFrom('registry.checkpoints').execute()).rejects.toThrow('append-only')
  })
})

describe('a crash', () => {
  const writes = ['takeFromOutboxes', 'insertLeaves', 'putTiles', 'insertCheckpoint', 'commit'] as const
  const cases = writes.flatMap((write) => (['before', 'after'] as const).map((when) => [when, write] as const))

  test.each(cases)('%s %s loses nothing and logs nothing twice', async (when, write) => {
    const first = newCommitments(300)
    await submit(first)
    await settle(log)
    const second = newCommitments(5)
    await submit(second)
    // Each pass in turn: that which sequences and that which signs.
    await settle(crashing(log, when, write)).catch((error: unknown) => expect(String(error)).toContain('crash'))
    const third = newCommitments(2)
    await submit(third)
    await requireSoundLog([...first, ...second, ...third])
  })
})

describe('what the log serves', () => {
  test('an entry verifies offline as soon as it is under a checkpoint, and the tiles give the same tree', async () => {
    const city = await testRegistry(database)
    city.registry.start()
    const salts = Array.from({ length: 300 }, (_, i) => new Uint8Array(16).fill(i & 255))
    const entries = salts.map((_, number) => ({ number }))
    await submit(entries.map((entry, i) => commit(salts[i] ?? new Uint8Array(), entry)))
    const commitment = toHex(commit(salts[123] ?? new Uint8Array(), { number: 123 }))
    const leaf = await eventually(async () => {
      const reply = await city.get(`/log/leaves/${commitment}/proof`)
      expect(reply.statusCode).toBe(200)
      return reply.json<LeafProof>()
    })
    const receipt: Receipt = {
      type: 'tillit-receipt/v1',
      city: 'http://localhost:8080',
      opening: {
        kind: 'did',
        entry: { number: 123 },
        salt: toBase64url(salts[123] ?? new Uint8Array()),
        commitment,
      },
      leaf,
    }
    const verified = verifyReceipt(receipt, { vkey: city.registry.logVkey })
    expect(verified).toMatchObject({ commitment, size: 300, anchored: null })

    const checkpoint = await city.get('/log/checkpoint')
    expect(checkpoint.headers['content-type']).toBe('text/plain; charset=utf-8')
    const head = verifyCheckpoint(checkpoint.body, parseVerifierKey(city.registry.logVkey))
    expect(head.size).toBe(300)
    const bundles = [await city.get('/log/tile/entries/000'), await city.get('/log/tile/entries/001.p/44')]
    const leaves = bundles.flatMap(({ rawPayload }) => parseEntryBundle(new Uint8Array(rawPayload))).map(leafHash)
    expect(toHex(rootOfLeaves(leaves))).toBe(toHex(head.root))
    const tile = await city.get('/log/tile/0/000')
    expect(tile.rawPayload.toString('hex')).toBe(leaves.slice(0, 256).map(toHex).join(''))
    expect((await city.get('/log/tile/0/000.p/3')).rawPayload.length).toBe(96)
    expect((await city.get('/log/tile/1/000.p/1')).rawPayload.toString('hex')).toBe(
      toHex(rootOfLeaves(leaves.slice(0, 256))),
    )
    for (const path of ['0/001', '0/001.p/45', '1/000', 'entries/001', '0/000.p/256', '9/000']) {
      expect((await city.get(`/log/tile/${path}`)).statusCode).toBe(404)
    }

    const consistency = await city.get('/log/consistency?from=7&to=300')
    const older = { size: 7, root: rootOfLeaves(leaves.slice(0, 7)) }
    verifyConsistency(older, head, consistency.json<{ hashes: string[] }>().hashes.map(fromHex))
    expect((await city.get('/log/consistency?from=8&to=7')).json()).toMatchObject({ code: 'invalid-request' })
    expect((await city.get('/log/consistency?from=7&to=301')).json()).toMatchObject({ code: 'log-entry-not-found' })
    expect((await city.get(`/log/leaves/${'00'.repeat(32)}/proof`)).json()).toMatchObject({
      code: 'log-entry-not-found',
    })
    expect((await city.get(`/log/leaves/${commitment}/proof?size=7`)).statusCode).toBe(404)
    expect((await city.get('/registry/ledger')).json()).toMatchObject({
      kind: 'none',
      fault: 'this test has no ledger',
      latest_checkpoint: { size: 300 },
      self_witnessed: true,
    })
    await city.registry.stop()
    await city.app.close()
  })
})

/** A store whose process dies right before or right after one of its writes: the transaction is cut off there. */
function crashing(store: LogStore, when: 'before' | 'after', write: keyof LogWriter | 'commit'): LogStore {
  const crash = () => {
    throw new Error(`crash ${when} ${write}`)
  }
  return {
    ...store,
    sequence: async (work) => {
      const result = await store.sequence(async (writer) => {
        const dying = new Proxy(writer, {
          get: (target, name: keyof LogWriter) =>
            name !== write
              ? target[name]
              : async (...args: never[]) => {
                  if (when === 'before') crash()
                  await Reflect.apply(target[name], target, args)
                  crash()
                },
        })
        const done = await work(dying)
        if (write === 'commit' && when === 'before') crash()
        return done
      })
      if (write === 'commit' && when === 'after') crash()
      return result
    },
  }
}

async function repeat(times: number, work: () => Promise<void>): Promise<void> {
  for (let i = 0; i < times; i++) await work()
}

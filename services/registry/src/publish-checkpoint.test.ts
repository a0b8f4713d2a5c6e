import { randomBytes } from 'node:crypto'
import { addToOutbox, type Database, type TestDatabase, testDatabase } from '@tillit/database'
import { signerFromSeed } from '@tillit/keys'
import {
  cosignCheckpoint,
  formatCheckpoint,
  parseNote,
  verifierKey,
  verifyCheckpoint,
  verifyWithPolicy,
} from '@tillit/log'
import type { WitnessPeer, WitnessReply } from '@tillit/witness'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { RegistryPorts, RegistryTables } from './index.ts'
import { createLogStore, type LogStore } from './log-store.ts'
import { createPublicationStore, type PublicationStore, type WitnessState } from './publication-store.ts'
import { publishNewestCheckpoint } from './publish-checkpoint.ts'
import { sequenceOutboxes, signNewCheckpoint, verifyStoredLog } from './sequence-log.ts'
import { logOrigin, membersOf, type TestWitness, testWitness, witnessedBy } from './witness.fixture.ts'
import { createWitnessing } from './witnessing.ts'

let database: TestDatabase
let registry: Database<RegistryTables>
let log: LogStore
let publications: PublicationStore
let witness: TestWitness
let honest: TestWitness
const logSigners = [await signerFromSeed(new Uint8Array(32).fill(1))]

async function setUp(): Promise<void> {
  database = await testDatabase()
  registry = database.connect<RegistryTables>('registry')
  log = createLogStore(registry)
  publications = createPublicationStore(registry)
  witness = await testWitness('witness.example', logSigners, { seed: 5, postQuantum: true })
  honest = await testWitness('honest.example', logSigners, { seed: 6 })
}

async function tearDown(): Promise<void> {
  await witness.close()
  await honest.close()
  await database.drop()
}

let clock = Date.parse('2026-01-01T00:00:00Z')
const ports = {
  // Each look at the clock is two seconds later, so that every pass may sign.
  now: () => {
    clock += 2000
    return new Date(clock)
  },
  logOrigin,
  logSigners,
}

/** Adds entries and signs a checkpoint over them. */
async function grow(entries = 3): Promise<void> {
  for (let i = 0; i < entries; i++)
    await addToOutbox(registry, 'registry', { kind: 'did', commitment: new Uint8Array(randomBytes(32)) })
  while ((await sequenceOutboxes(log, ports)) > 0);
  await signNewCheckpoint(log, ports)
}

interface Round {
  published: boolean
  /** What was told of each witness. */
  faults: Record<string, string | null>
  error: string | null
}

async function publish(
  witnessing: RegistryPorts['witnessing'],
  { store = publications, signers = logSigners }: { store?: PublicationStore; signers?: typeof logSigners } = {},
): Promise<Round> {
  const round: Round = { published: false, faults: {}, error: null }
  const onAnswers = (states: readonly WitnessState[]) => {
    round.faults = Object.fromEntries(states.map(({ name, fault }) => [name, fault]))
  }
  try {
    round.published = await publishNewestCheckpoint({
      log,
      publications: store,
      witnessing: createWitnessing({ logOrigin, logSigners: signers, witnessing }),
      now: ports.now,
      onAnswers,
      signal: new AbortController().signal,
    })
  } catch (error) {
    round.error = error instanceof Error ? error.message : String(error)
  }
  return round
}

const both = () => witnessedBy(membersOf(witness), { threshold: 2 })
const publishedSize = async () => (await publications.newest())?.size ?? 0

describe('publishing', () => {
  beforeEach(setUp)
  afterEach(tearDown)

  test('what is published carries the cosignatures of the policy, the post-quantum one too', async () => {
    await grow()
    expect(await publish(both())).toEqual({
      published: true,
      faults: { 'witness.example-ed25519': null, 'witness.example-ml-dsa-44': null },
      error: null,
    })
    const published = await publications.newest()
    const { policy } = createWitnessing({ ...ports, witnessing: both() })
    const verified = verifyWithPolicy(published?.note ?? '', policy)
    expect(verified.cosignedBy.map(({ name }) => name)).toEqual(policy.witnesses.map(({ name }) => name))
    expect(verified.checkpoint.size).toBe(3)
    expect(await publish(both())).toMatchObject({ published: false, error: null })
  })

  test('each growth is proved to the witness from where it was', async () => {
    for (const size of [3, 6, 9]) {
      await grow()
      expect(await publish(both())).toMatchObject({ published: true })
      expect((await witness.latest(logOrigin))?.checkpoint.size).toBe(size)
    }
    expect(witness.events.filter(({ event }) => event !== 'cosigned')).toEqual([])
  })

  test('a witness whose memory is not known here tells it, and cosigns in the same round', async () => {
    await grow()
    await publish(both())
    await registry.deleteFrom('registry.witnesses').execute()
    await grow()
    expect(await publish(both())).toMatchObject({ published: true, error: null })
    await registry.updateTable('registry.witnesses').set({ cosigned_size: 2 }).execute()
    await grow()
    expect(await publish(both())).toMatchObject({ published: true, error: null })
  })

  test('while the quorum is not met nothing is published, and then the newest', async () => {
    await grow()
    await publish(both())
    const away = witnessedBy(membersOf(witness, answers(503)), { threshold: 2 })
    for (let i = 0; i < 3; i++) {
      await grow()
      const { published, error } = await publish(away)
      expect(published).toBe(false)
      expect(error).toContain('0 of 2 witnesses cosigned')
    }
    expect(await publishedSize()).toBe(3)
    expect(await publish(both())).toMatchObject({ published: true, error: null })
    expect(await publishedSize()).toBe(12)
    expect(await publications.ofSize(6)).toBeNull()
  })

  test('a policy without a quorum publishes as it is signed', async () => {
    const nobody = {
      policy: { logs: [], witnesses: [], groups: [], quorum: 'none' },
      peers: new Map(),
      own: new Set<string>(),
    }
    await grow()
    expect(await publish(nobody)).toEqual({ published: true, faults: {}, error: null })
  })

  test('while the log changes its key, the note verifies under the old and the new one', async () => {
    const next = await signerFromSeed(new Uint8Array(32).fill(9))
    const signers = [next, ...logSigners]
    const watching = await testWitness('both.example', signers, { seed: 7 })
    await addToOutbox(registry, 'registry', { kind: 'did', commitment: new Uint8Array(32) })
    await sequenceOutboxes(log, ports)
    await signNewCheckpoint(log, { ...ports, logSigners: signers })
    const policy = witnessedBy(membersOf(watching), { threshold: 1 })
    expect(await publish(policy, { signers })).toMatchObject({ published: true, error: null })
    const note = (await publications.newest())?.note ?? ''
    for (const { publicKey } of signers) expect(verifyCheckpoint(note, verifierKey(logOrigin, publicKey)).size).toBe(1)
    await watching.close()
  })

  test('the log is self-witnessed exactly when its operator can meet the quorum alone', () => {
    const members = [...membersOf(witness), ...membersOf(honest)]
    const own = membersOf(witness).map(({ name }) => name)
    const selfWitnessed = (threshold: number, names: string[]) =>
      createWitnessing({ ...ports, witnessing: witnessedBy(members, { threshold, own: names }) }).selfWitnessed
    expect(selfWitnessed(2, own)).toBe(true)
    expect(selfWitnessed(3, own)).toBe(false)
    expect(selfWitnessed(1, [])).toBe(false)
  })
})

/** A peer with an answer for everything. */
function answers(status: number, body = ''): WitnessPeer {
  return { addCheckpoint: async () => ({ status, contentType: 'text/plain', body }) }
}

function reply(body: string): WitnessReply {
  return { status: 200, contentType: 'text/plain', body }
}

/** The text of the note in an add-checkpoint request. */
function textOf(request: string): string {
  return parseNote(request.slice(request.indexOf('\n\n') + 2)).text
}

describe('a witness that', () => {
  beforeAll(setUp)
  afterAll(tearDown)

  const liar = signerFromSeed(new Uint8Array(32).fill(5))
  const stranger = signerFromSeed(new Uint8Array(32).fill(8))
  const cosign = async (text: string, signer = liar, name = 'witness.example') =>
    cosignCheckpoint(text, { name, signer: await signer, timestampSeconds: 1_700_000_000 })
  const other = formatCheckpoint({ origin: logOrigin, size: 3, root: new Uint8Array(32) })
  let asked = 0
  const lies: [string, WitnessPeer, string][] = [
    ['answers nonsense', answers(200, 'hello\n'), 'does not verify'],
    ['answers nothing', answers(200), 'did not cosign as'],
    ['answers without end', answers(200, 'x'.repeat(100_000)), 'too long'],
    ['cosigns another checkpoint', { addCheckpoint: async () => reply(await cosign(other)) }, 'does not verify'],
    [
      'cosigns with a key of its own choice',
      { addCheckpoint: async (request) => reply(await cosign(textOf(request), stranger)) },
      'does not name',
    ],
    [
      'cosigns under another name',
      { addCheckpoint: async (request) => reply(await cosign(textOf(request), liar, 'elsewhere.example')) },
      'does not name',
    ],
    ['does not trust the key', answers(403), '403'],
    ['does not know the log', answers(404), '404'],
    ['sees a fork', answers(422), '422'],
    ['fails', answers(500), 'answered 500'],
    ['redirects', answers(302), 'answered 302'],
    ['gives no size', answers(409, 'none\n'), 'without the size'],
    ['is ahead of the log', answers(409, '4000\n'), 'more than the log has signed'],
    ['has another tree of the same size', answers(409, '0\n'), 'another tree'],
    [
      'names another size each time',
      { addCheckpoint: async () => ({ status: 409, contentType: 'text/x.tlog.size', body: `${(asked++ % 2) + 1}\n` }) },
      'another size each time',
    ],
    ['cannot be reached', { addCheckpoint: () => Promise.reject(new Error('secret words')) }, 'cannot be reached'],
    ['never answers', { addCheckpoint: () => new Promise<never>(() => undefined) }, 'had not answered'],
  ]
  test.each(lies)('%s is told, and does not keep an honest one from being enough', async (_what, peer, words) => {
    await grow()
    const [member] = membersOf(witness, peer)
    const members = member === undefined ? [] : [member, ...membersOf(honest)]
    const { published, faults, error } = await publish(witnessedBy(members, { threshold: 1 }))
    expect({ published, error }).toEqual({ published: true, error: null })
    expect(faults['witness.example-ed25519']).toContain(words)
    expect(faults['honest.example-ed25519']).toBeNull()
    const note = (await publications.newest())?.note ?? ''
    expect(parseNote(note).signatures.map(({ name }) => name)).toEqual([logOrigin, 'honest.example'])
  })

  test('is needed and lies keeps the log from being published', async () => {
    const before = await publishedSize()
    await grow()
    const members = membersOf(witness, { addCheckpoint: async () => reply(await cosign(other)) })
    const { published, error } = await publish(witnessedBy(members, { threshold: 2 }))
    expect(published).toBe(false)
    expect(error).toContain('does not verify')
    expect(await publishedSize()).toBe(before)
  })

  test('spoils one of its lines has the others taken', async () => {
    await grow()
    const mixed: WitnessPeer = {
      addCheckpoint: async (request) => {
        const { body } = await witness.addCheckpoint(request)
        return reply(`— witness.example AAAA\nrubbish\n${body}`)
      },
    }
    expect(await publish(witnessedBy(membersOf(witness, mixed), { threshold: 2 }))).toMatchObject({ published: true })
  })
})

describe('a crash', () => {
  beforeEach(setUp)
  afterEach(tearDown)

  const writes = ['saveWitnesses', 'publish'] as const
  const cases = writes.flatMap((write) => (['before', 'after'] as const).map((when) => [when, write] as const))
  test.each(cases)('%s %s is made good by the next round', async (when, write) => {
    await grow()
    await publish(both())
    await grow()
    const dying: PublicationStore = {
      ...publications,
      [write]: async (...args: never[]) => {
        if (when === 'after') await Reflect.apply(publications[write], publications, args)
        throw new Error(`crash ${when} ${write}`)
      },
    }
    expect((await publish(both(), { store: dying })).error).toBe(`crash ${when} ${write}`)
    // The witness has cosigned; whether that was noted down or not, the same tree is published in the end.
    expect((await witness.latest(logOrigin))?.checkpoint.size).toBe(6)
    expect((await publish(both())).error).toBeNull()
    expect(await publishedSize()).toBe(6)
    await grow()
    expect(await publish(both())).toMatchObject({ published: true, error: null })
    expect(witness.events.filter(({ event }) => event !== 'cosigned')).toEqual([])
  })

  test('after publishing leaves a checkpoint that can neither be changed nor taken back', async () => {
    await grow()
    await publish(both())
    const change = registry.updateTable('registry.published_checkpoints').set({ note: 'another' }).execute()
    await expect(change).rejects.toThrow('append-only')
    await expect(registry.deleteFrom('registry.published_checkpoints').execute()).rejects.toThrow('append-only')
  })
})

describe('a database that was put back to an older state', () => {
  beforeEach(setUp)
  afterEach(tearDown)

  test('and goes on differently is never published, before or after it has outgrown what the witness knows', async () => {
    for (let i = 0; i < 3; i++) await grow()
    await publish(both())
    const restored = await testDatabase()
    const published = database
    database = restored
    registry = restored.connect<RegistryTables>('registry')
    log = createLogStore(registry)
    publications = createPublicationStore(registry)
    await grow()
    expect((await publish(both())).error).toContain('it says that it has cosigned 9 entries')
    await grow(10)
    const { published: out, faults } = await publish(both())
    expect(out).toBe(false)
    expect(faults['witness.example-ed25519']).toContain('does not extend')
    expect(await publishedSize()).toBe(0)
    expect(witness.events.some(({ event }) => event === 'inconsistent')).toBe(true)
    await published.drop()
  })
})

describe('a log that does not extend what it has signed', () => {
  beforeEach(setUp)
  afterEach(tearDown)

  const tamper: [string, () => Promise<unknown>][] = [
    [
      'because a tile was changed',
      () =>
        registry
          .updateTable('registry.tiles')
          .set({ hashes: Buffer.alloc(96, 7) })
          .where('level', '=', 0)
          .execute(),
    ],
    ['because a tile is gone', () => registry.deleteFrom('registry.tiles').execute()],
  ]
  test.each(tamper)('%s signs nothing more', async (_why, damage) => {
    await grow()
    const before = await log.newestSigned()
    await damage()
    await expect(grow(1)).rejects.toThrow(/tile|extends the signed/)
    expect(await log.newestSigned()).toEqual(before)
  })

  test('is noticed at the start of a process', async () => {
    await grow()
    await verifyStoredLog(log)
    await registry
      .updateTable('registry.tiles')
      .set({ hashes: Buffer.alloc(96, 7) })
      .execute()
    await expect(verifyStoredLog(log)).rejects.toMatchObject({ code: 'log-inconsistent' })
  })
})

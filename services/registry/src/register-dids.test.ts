import { administer } from '@tillit/database'
import { type DidState, nextDidState, updateDid } from '@tillit/did'
import type { Signer } from '@tillit/keys'
import type { DidLogEntry, DidRegistrationResults } from '@tillit/schemas'
import fc from 'fast-check'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RegistryTables } from './index.ts'
import { eventually, newDid, type OwnRegistry, ownRegistry } from './registry.fixture.ts'

let city: OwnRegistry
beforeAll(async () => {
  city = await ownRegistry()
})
afterAll(() => city.close())

const batch = async (registrations: { entry: DidLogEntry; listed: boolean }[]) =>
  (await city.post('/dids/batch', { registrations })).json<DidRegistrationResults>().results

describe('many at once', () => {
  test('each is answered for itself and in its place, and the same batch again gives the same answers', async () => {
    const dids = await Promise.all(Array.from({ length: 40 }, () => newDid()))
    const registrations = dids.map(({ entry }, index) => ({ entry, listed: index % 2 === 0 }))
    const forged = { ...registrations[7], entry: { ...registrations[7]?.entry, versionTime: '2020-01-01T00:00:00Z' } }
    const results = await batch(registrations.with(7, forged as (typeof registrations)[number]))
    expect(results.map(({ status }) => status)).toEqual(Array(40).fill(201).with(7, 400))
    expect(results[7]?.problem).toMatchObject({ code: 'invalid-did-log' })
    expect(results.map(({ accepted }) => accepted?.did)).toEqual(dids.map(({ did }) => did).with(7, undefined as never))
    const again = await batch(registrations)
    expect(again.map(({ status }) => status)).toEqual(Array(40).fill(200).with(7, 201))
    const others = (all: typeof results) => all.map(({ accepted }) => accepted).toSpliced(7, 1)
    expect(others(again)).toEqual(others(results))
  })

  test('each is stored with its own texts, whatever characters are in them', async () => {
    const types = [
      'line\nfeed',
      'carriage\r\nreturn',
      '"quotes", \\n and \\\\',
      '\u0000\u2028\u2029',
      '{},{NULL}',
      'å'.repeat(300),
    ]
    const dids = await Promise.all(
      types.map((type) =>
        newDid({ services: (did) => [{ id: `${did}#service`, type, serviceEndpoint: 'https://city.example/' }] }),
      ),
    )
    const results = await batch(dids.map(({ entry }) => ({ entry, listed: true })))
    expect(results.map(({ status }) => status)).toEqual(types.map(() => 201))
    for (const [index, { did, entry }] of dids.entries()) {
      const { rows } = await sql<{ line: string; state: DidState }>`
        SELECT line, state FROM registry.did_entries JOIN registry.dids USING (did)
        WHERE did = ${did}`.execute(city.database.connect<RegistryTables>('registry'))
      expect(rows.map(({ line }) => JSON.parse(line))).toEqual([entry])
      expect(rows[0]?.state.document.service?.[0]?.type).toBe(types[index])
    }
  })

  test('the same entry twice in one batch is stored once', async () => {
    const { entry } = await newDid()
    const results = await batch([
      { entry, listed: true },
      { entry, listed: true },
    ])
    expect(results.map(({ status }) => status).sort()).toEqual([200, 201])
    expect(results[0]?.accepted).toEqual(results[1]?.accepted)
  })

  test('of two DIDs for one place in one batch one is stored', async () => {
    const path = ['dids', 'wanted-by-two']
    const [a, b] = [await newDid({ path }), await newDid({ path })]
    const results = await batch([
      { entry: a.entry, listed: true },
      { entry: b.entry, listed: true },
    ])
    expect(results.map(({ status }) => status).sort()).toEqual([201, 409])
  })

  test('an empty batch and one that is too long are refused', async () => {
    expect((await city.post('/dids/batch', { registrations: [] })).statusCode).toBe(400)
    const { entry } = await newDid()
    const many = Array(501).fill({ entry, listed: true })
    expect((await city.post('/dids/batch', { registrations: many })).statusCode).toBe(400)
  })

  test('one that the database refuses fails alone', async () => {
    await administer(
      city.database.url,
      `CREATE FUNCTION registry.refuse_place() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         IF NEW.slug = 'refused-place' THEN RAISE EXCEPTION 'no such place'; END IF; RETURN NEW; END $$;
       CREATE TRIGGER refuse_place BEFORE INSERT ON registry.dids
         FOR EACH ROW EXECUTE FUNCTION registry.refuse_place()`,
    )
    const bad = await newDid({ path: ['dids', 'refused-place'] })
    const good = await Promise.all(Array.from({ length: 9 }, () => newDid()))
    const replies = await Promise.all([bad, ...good].map(({ entry }) => city.post('/dids', { entry, listed: true })))
    expect(replies.map(({ statusCode }) => statusCode)).toEqual([500, ...Array(9).fill(201)])
    await administer(city.database.url, 'DROP TRIGGER refuse_place ON registry.dids')
    expect((await city.post('/dids', { entry: bad.entry, listed: true })).statusCode).toBe(201)
  })
})

test('when the database goes away in the middle nobody is told what is not so, and trying again heals it', async () => {
  for (let round = 0; round < 5; round++) {
    const dids = await Promise.all(Array.from({ length: 30 }, () => newDid()))
    const registerAll = () => Promise.all(dids.map(({ entry }) => city.post('/dids', { entry, listed: true })))
    const replies = registerAll()
    await administer(
      city.database.url,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'tillit-registry'`,
    )
    const codes = (await replies).map(({ statusCode }) => statusCode)
    for (const code of codes) expect([201, 503]).toContain(code)
    await eventually(async () => {
      const again = (await registerAll()).map(({ statusCode }) => statusCode)
      // Accepted is accepted; what was cut may have been stored before it was cut.
      again.forEach((code, index) => {
        expect(codes[index] === 201 ? [200] : [200, 201]).toContain(code)
      })
    })
    for (const { did } of dids) expect((await city.get(`/1.0/identifiers/${did}`)).statusCode).toBe(200)
  }
})

test('a DID that is stored has its entry and its outbox row, and its salt is public only when it is listed', async () => {
  const [listed, unlisted] = [await newDid(), await newDid()]
  await batch([
    { entry: listed.entry, listed: true },
    { entry: unlisted.entry, listed: false },
  ])
  const { rows } = await sql<{ did: string; open: boolean }>`
    SELECT did, waiting.public_salt IS NOT DISTINCT FROM entry.salt AS open
    FROM registry.did_entries AS entry JOIN registry.outbox AS waiting USING (commitment)
    WHERE did IN (${listed.did}, ${unlisted.did})`.execute(city.database.connect<RegistryTables>('registry'))
  expect(new Map(rows.map(({ did, open }) => [did, open]))).toEqual(
    new Map([
      [listed.did, true],
      [unlisted.did, false],
    ]),
  )
})

interface History {
  readonly did: string
  readonly entries: readonly DidLogEntry[]
}

/** A DID with two updates, prepared beforehand so that any order of sending them can be tried. */
async function history(): Promise<History> {
  const { did, entry, state, signer } = await newDid()
  const entries = [entry]
  let current: DidState = state
  for (const secondsAgo of [50, 40]) {
    entries.push(await followUp(current, signer, secondsAgo))
    current = nextDidState({ state: current, entry: entries.at(-1) ?? entry, now: new Date() })
  }
  return { did, entries }
}

function followUp(state: DidState, signer: Signer, secondsAgo: number): Promise<DidLogEntry> {
  const now = new Date(Date.now() - secondsAgo * 1000)
  const services = (id: string) => [
    { id: `${id}#s`, type: 'LinkedDomains', serviceEndpoint: `https://${secondsAgo}.example` },
  ]
  return updateDid(state, { signer, services, now })
}

const send = ({ did, entries }: History, version: number) =>
  version === 0
    ? city.post('/dids', { entry: entries[0], listed: true })
    : city.post(`/dids/${did}/entries`, entries[version] ?? {})

async function rowsOf({ did }: History): Promise<unknown[]> {
  const db = city.database.connect<RegistryTables>('registry')
  const { rows } = await sql`
    SELECT entry.version_number, entry.version_id, entry.line, did.version_number AS newest, did.published_version,
      did.log_characters, did.state->>'versionId' AS state, (SELECT count(*) FROM registry.outbox AS waiting
      WHERE waiting.commitment = entry.commitment) AS waiting
    FROM registry.did_entries AS entry JOIN registry.dids AS did USING (did) WHERE did = ${did}
    ORDER BY entry.version_number`.execute(db)
  await db.destroy()
  return rows
}

test('whatever is sent at once and however often, the rows are those of sending one after the other', async () => {
  const step = fc.record({ did: fc.nat(2), version: fc.nat(2) })
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(step, { minLength: 1, maxLength: 8 }), { maxLength: 4 }), async (rounds) => {
      const histories = await Promise.all([history(), history(), history()])
      const of = (index: number) => histories[index] ?? histories[0]
      for (const round of rounds) {
        const replies = await Promise.all(round.map(({ did, version }) => send(of(did), version)))
        for (const { statusCode } of replies) expect([200, 201, 400, 404, 409]).toContain(statusCode)
      }
      // What was refused because it came too early is sent again, in order: retries heal everything.
      for (const version of [0, 1, 2]) {
        const replies = await Promise.all(histories.map((one) => send(one, version)))
        for (const { statusCode } of replies) expect([200, 201]).toContain(statusCode)
      }
      for (const one of histories) {
        expect(await rowsOf(one)).toEqual(
          one.entries.map((entry, index) => ({
            version_number: index + 1,
            version_id: entry.versionId,
            line: JSON.stringify(entry),
            newest: 3,
            published_version: 3,
            log_characters: one.entries.map((each) => JSON.stringify(each).length + 1).reduce((a, b) => a + b),
            state: one.entries[2]?.versionId,
            waiting: 1,
          })),
        )
      }
    }),
    { numRuns: 15 },
  )
})

import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { connectCity } from '@tillit/client'
import pg from 'pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type CityProcess, kill, openSite, type Site } from './city-process.ts'
import { eventually } from './eventually.ts'
import { expectNoIdentifiers } from './expect-no-identifiers.ts'
import { connectAs, type Household, moveIn } from './household.ts'
import { keepBusy } from './keep-busy.ts'
import { extensionOf, headOf } from './log-heads.ts'
import { postgresFolders, postmaster } from './postgres-folders.ts'
import { type Answer, watchAnswers } from './watch-answers.ts'

/** Longest that a client may be kept waiting while the database is away. */
const answerMilliseconds = 10_000

let site: Site
let city: CityProcess
let household: Household
let answers: Answer[]
beforeEach(async () => {
  site = await openSite()
  city = site.start()
  await city.ready()
  const watched = watchAnswers()
  answers = watched.answers
  household = await moveIn(city.url, site, { fetch: watched.fetch })
})
afterEach(async () => {
  await site.clear()
  expectNoIdentifiers(site.logs())
})

test('PostgreSQL killed under load three times: 503 meanwhile, no hang, nothing lost, and all works again', async () => {
  const before = await headOf(city.url)
  const reads: string[] = []
  const meter = keepBusy(() => household.publishDay())
  const adviser = keepBusy(async () => reads.push((await household.read()).access_record))
  for (let round = 1; round <= 3; round++) {
    const [batches, readsBefore] = [household.acknowledged.length, reads.length]
    await eventually(() => expect(household.acknowledged.length).toBeGreaterThan(batches + 5))
    kill(postmaster(site.dataDir), 'SIGKILL')
    const began = performance.now()
    const [batchesAtKill, readsAtKill] = [household.acknowledged.length, reads.length]
    await eventually(() => {
      expect(household.acknowledged.length).toBeGreaterThan(batchesAtKill + 3)
      expect(reads.length).toBeGreaterThan(readsAtKill + 3)
    })
    console.log(
      `round ${round}: ${reads.length - readsBefore} reads; both work again ${Math.round(performance.now() - began)} ms after the kill`,
    )
  }
  await Promise.all([meter.stop(), adviser.stop()])
  expect(city.running).toBe(true)
  const refused = answers.filter(({ status }) => status !== null && status >= 400)
  expect(refused.length).toBeGreaterThan(0)
  expect(refused.filter(({ status, code }) => status !== 503 || code !== 'database-unavailable')).toEqual([])
  expect(refused.filter(({ retryAfter }) => !/^[1-9]\d*$/.test(retryAfter ?? ''))).toEqual([])
  expect(answers.filter(({ status }) => status === null)).toEqual([])
  expect(Math.max(...answers.map(({ milliseconds }) => milliseconds))).toBeLessThan(answerMilliseconds)

  const again = await household.publishAgain()
  expect(again.every(({ replay, stored }) => replay && stored === 24)).toBe(true)
  const own = await household.readOwn()
  expect(own.readings.map(({ value }) => Number(value))).toEqual(
    household.expectedOwn(household.acknowledged.length).map(({ value }) => value),
  )
  const proofs = await eventually(() => Promise.all(reads.map((record) => household.proofOf(record))))
  expect(proofs.every(({ leaf }) => leaf !== null)).toBe(true)
  await extensionOf(city.url, before)

  // The last proof is anchored once the anchorer has found its way back.
  const [last = ''] = reads.slice(-1)
  await eventually(async () => expect((await household.proofOf(last)).leaf?.anchor).not.toBeNull())
  const began = performance.now()
  const revoked = await household.revoke()
  expect(revoked.state).toBe('REVOKED')
  expect(performance.now() - began).toBeLessThan(2000)
  await expect(household.read()).rejects.toMatchObject({ code: 'access-denied' })
  expect((await city.interrupt()).code).toBe(0)
  expect(site.processes()).toEqual([])
})

/** Takes away a file that PostgreSQL cannot start without, kills it, and gives how to put the file back. */
async function takeDatabaseAway(): Promise<() => Promise<void>> {
  const control = join(postgresFolders(site.dataDir).cluster, 'global', 'pg_control')
  await rename(control, `${control}.away`)
  kill(postmaster(site.dataDir), 'SIGKILL')
  await city.says('PostgreSQL did not start')
  return async () => {
    await rename(`${control}.away`, control)
    await city.says('PostgreSQL is back')
  }
}

test('while PostgreSQL does not come back, every route says so at once', async () => {
  const { did } = await connectCity({ url: city.url }).get<{ did: string }>('/authority')
  await household.read()
  await household.publishDay()
  const putBack = await takeDatabaseAway()
  const watched = watchAnswers()
  const ask = async (path: string, init: RequestInit = {}) => {
    await (await watched.fetch(city.url + path, init)).arrayBuffer()
    return { path, ...watched.answers.at(-1) }
  }
  const refused: object[] = []
  for (const path of [
    '/log/checkpoint',
    '/log/consistency?from=1&to=2',
    `/log/leaves/${'0'.repeat(64)}/proof`,
    '/log/tile/0/000.p/1',
    '/registry/ledger',
    '/registry/anchors',
    '/trust/root',
    '/trust/organisations',
    '/credentials/status-lists/1',
    `/1.0/identifiers/${encodeURIComponent(did)}`,
  ]) {
    const { status, code, retryAfter } = await ask(path)
    refused.push({ path, status, code, retryAfter })
  }
  expect(refused).toEqual(
    refused.map((answer) => ({ ...answer, status: 503, code: 'database-unavailable', retryAfter: '2' })),
  )
  await expect(household.read()).rejects.toMatchObject({ code: 'database-unavailable' })
  await expect(household.publishDay()).rejects.toMatchObject({ code: 'database-unavailable' })
  await expect(household.accessRecords()).rejects.toMatchObject({ code: 'database-unavailable' })
  expect(await ask('/health/ready')).toMatchObject({ status: 503 })
  expect(await ask('/health/live')).toMatchObject({ status: 200 })
  expect(Math.max(...watched.answers.map(({ milliseconds }) => milliseconds))).toBeLessThan(answerMilliseconds)
  await putBack()
  expect((await household.publishDay()).length).toBe(2)
})

test('while PostgreSQL is away, no token is issued and the authorization server says that it is for a while', async () => {
  const putBack = await takeDatabaseAway()
  const watched = watchAnswers()
  for (const name of ['adviser', 'utility'])
    await expect((await connectAs(city.url, site, name, watched)).get('/permissions')).rejects.toMatchObject({
      status: 503,
    })
  expect(watched.answers.map(({ status, retryAfter }) => ({ status, retryAfter }))).toEqual(
    watched.answers.map(() => ({ status: 503, retryAfter: '2' })),
  )
  await putBack()
})

test('after PostgreSQL was killed the sequencer listens again and no lock is left', async () => {
  const [record] = [(await household.read()).access_record]
  kill(postmaster(site.dataDir), 'SIGKILL')
  await city.says('PostgreSQL is back')
  await eventually(() => household.read())
  await eventually(() => household.proofOf(record))
  const { sockets } = postgresFolders(site.dataDir)
  const client = new pg.Client({ host: sockets, user: 'postgres', database: 'tillit' })
  await client.connect()
  try {
    await eventually(async () => {
      const { rows } = await client.query(
        `SELECT query, state FROM pg_stat_activity WHERE application_name = 'tillit-listen'`,
      )
      expect(rows).toEqual([{ query: 'LISTEN "tillit_outbox"', state: 'idle' }])
    })
    await eventually(async () => {
      const { rows } = await client.query(`SELECT pid, mode FROM pg_locks WHERE locktype = 'advisory'`)
      expect(rows).toEqual([])
    })
  } finally {
    await client.end()
  }
})

test('Ctrl-C while PostgreSQL is being started again ends everything', async () => {
  kill(postmaster(site.dataDir), 'SIGKILL')
  await city.says('starting it again')
  const { code, milliseconds } = await city.interrupt()
  expect(code).toBe(0)
  expect(milliseconds).toBeLessThan(answerMilliseconds)
  expect(site.processes()).toEqual([])
  const next = site.start()
  await next.ready()
  expect((await connectCity({ url: next.url }).get<{ status: string }>('/health/ready')).status).toBe('ready')
})

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { statusAt } from '@tillit/credential'
import { type TestDatabase, testDatabase } from '@tillit/database'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CredentialsTables } from '../../services/credentials/src/tables.ts'
import type { Done, Task } from './revoking-process.ts'

const processes = 4
const credentials = 10_000
/** Small, so that lists fill and the next ones are opened while all four issue. */
const statusListSize = 4096
const issuerDid = 'did:web:utility.example'
const minutes = 60_000

let database: TestDatabase
let cities: ChildProcess[]

beforeAll(async () => {
  database = await testDatabase()
  const db = database.connect<CredentialsTables>('credentials')
  await db
    .insertInto('credentials.parties')
    .values({
      did: issuerDid,
      name: 'Nordvik Nett AS',
      registration_number: '999888777',
      country: 'NO',
      roles: ['utility'],
      purposes: [],
      status: 'ACTIVE',
      credential_id: null,
      changed_at: new Date(),
    })
    .execute()
  const main = fileURLToPath(new URL('revoking-process.ts', import.meta.url))
  cities = Array.from({ length: processes }, () => fork(main, [database.url], { execArgv: [] }))
})

afterAll(async () => {
  for (const city of cities) {
    const ended = once(city, 'exit')
    city.disconnect()
    await ended
  }
  await database.drop()
})

async function ask(city: ChildProcess | undefined, task: Task): Promise<string[]> {
  if (city === undefined) throw new Error('there is no such process')
  const answer = Promise.race([
    once(city, 'message').then(([done]) => (done as Done).ids),
    once(city, 'exit').then(([code]) => Promise.reject(new Error(`the process ended with ${code}`))),
  ])
  city.send(task)
  return answer
}

test(
  'four processes issue and revoke 10,000 credentials at once: no index is given twice and no revocation is lost',
  async () => {
    const each = credentials / processes
    const issued = await Promise.all(cities.map((city) => ask(city, { issue: each, issuerDid, statusListSize })))
    // Each process revokes what the others issued too, all over the same lists.
    const shares = cities.map((_, share) => issued.flat().filter((_, i) => i % processes === share))
    await Promise.all(cities.map((city, i) => ask(city, { revoke: shares[i] ?? [], issuerDid })))

    const db = database.connect<CredentialsTables>('credentials')
    const rows = await db
      .selectFrom('credentials.issued_credentials')
      .select(['id', 'status', 'status_list_id', 'status_index'])
      .execute()
    expect(rows).toHaveLength(credentials)
    expect(new Set(rows.map((row) => `${row.status_list_id}/${row.status_index}`)).size).toBe(credentials)
    expect(rows.every(({ status }) => status === 'revoked')).toBe(true)

    const lists = await db
      .selectFrom('credentials.status_lists')
      .select(['id', 'size', 'bitmap', 'closed_at'])
      .execute()
    expect(lists.length).toBeGreaterThan(credentials / statusListSize)
    expect(lists.filter(({ closed_at }) => closed_at === null)).toHaveLength(1)
    const bitmaps = new Map(lists.map(({ id, bitmap }) => [id, { bits: 2 as const, bytes: bitmap }]))
    for (const { status_list_id, status_index } of rows) {
      const list = bitmaps.get(status_list_id)
      expect(list && statusAt(list, status_index)).toBe('revoked')
    }
    const set = lists.reduce((sum, { bitmap }) => sum + ones(bitmap), 0)
    expect(set).toBe(credentials)

    const events = await db
      .selectFrom('credentials.status_events')
      .select(({ fn }) => [fn.countAll<number>().as('events'), fn.count<number>('credential_id').distinct().as('of')])
      .executeTakeFirstOrThrow()
    expect(events).toEqual({ events: 2 * credentials, of: credentials })
  },
  10 * minutes,
)

function ones(bytes: Uint8Array): number {
  let count = 0
  for (const byte of bytes) for (let rest = byte; rest > 0; rest >>= 1) count += rest & 1
  return count
}

import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { active, answer, asCustomer, buildCity, type City } from './city.fixture.ts'
import type { PermissionsTables } from './index.ts'

const revocations = 100
const readersPerRevocation = 6

let city: City
beforeAll(async () => {
  city = await buildCity()
})
afterAll(() => city.close())

const revoke = async (id: string) =>
  city.call(asCustomer(city.customer), 'POST', `/permissions/${id}/revocation`, {
    body: { statement: await answer(city, id, 'revoke') },
  })

/** One read as the readers do it: the shared lock first, then the snapshot, and the lock until the answer is handed over. */
function read(
  database: City['db'],
  id: string,
  { locked, deliver }: { locked: boolean; deliver: () => Promise<void> },
) {
  const key = sql`hashtextextended(${`permission:${id}`}, 0)`
  return database.connection().execute(async (connection) => {
    if (locked) await sql`SELECT pg_advisory_lock_shared(${key})`.execute(connection)
    try {
      const row = await connection
        .transaction()
        .setIsolationLevel('repeatable read')
        .execute((trx) =>
          trx.selectFrom('permissions.path_v1').select('state').where('permission_id', '=', id).executeTakeFirst(),
        )
      if (row?.state !== 'ACTIVE') return false
      await deliver()
      return true
    } finally {
      if (locked) await sql`SELECT pg_advisory_unlock_shared(${key})`.execute(connection)
    }
  })
}

test('no read under a permission is delivered after its revocation was acknowledged', async () => {
  const database = city.database.connect<PermissionsTables>('permissions', {
    maxConnections: readersPerRevocation,
  })
  let [delivered, afterwards] = [0, 0]
  for (let round = 0; round < revocations; round++) {
    const { permission } = await active(city)
    let acknowledged = false
    const deliver = async () => {
      // A little work between decision and delivery, so that there is something to overtake.
      await sql`SELECT 1`.execute(city.db)
      delivered += 1
      if (acknowledged) afterwards += 1
    }
    const readers = Array.from({ length: readersPerRevocation }, async () => {
      while (await read(database, permission.id, { locked: true, deliver }));
    })
    const reply = await revoke(permission.id)
    acknowledged = true
    expect(reply.status).toBe(200)
    await Promise.all(readers)
  }
  expect(delivered).toBeGreaterThan(revocations)
  expect(afterwards).toBe(0)
})

test('a reader that does not hold the lock would be overtaken, so the test above can fail', async () => {
  const { permission } = await active(city)
  let overtaken = false
  await read(city.db, permission.id, {
    locked: false,
    deliver: async () => {
      overtaken = (await revoke(permission.id)).status === 200
    },
  })
  expect(overtaken).toBe(true)
})

test('a revocation that readers hold up too long changes nothing and can be tried again', async () => {
  const { permission } = await active(city)
  await read(city.db, permission.id, {
    locked: true,
    deliver: async () => {
      expect(await revoke(permission.id)).toMatchObject({ status: 503, body: { code: 'revocation-pending' } })
    },
  })
  expect(await revoke(permission.id)).toMatchObject({ status: 200, body: { permission: { state: 'REVOKED' } } })
})

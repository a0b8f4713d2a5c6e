import { once } from 'node:events'
import { connect as connectSocket } from 'node:net'
import type { Database } from '@tillit/database'
import { type Kysely, sql } from 'kysely'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { addPath } from './stand-in-views.ts'
import { adviser, alice, halfHours, permissionId, scopeFor, type TestCity, testCity } from './test-city.ts'

/** Answers wait at the gate after they were decided and before they leave: a slow network, under control. */
class Gate {
  #open: () => void = () => undefined
  #arrive: () => void = () => undefined
  opened: Promise<void> = Promise.resolve()
  arrived: Promise<void> = Promise.resolve()

  close(): void {
    this.opened = new Promise((resolve) => {
      this.#open = resolve
    })
    this.arrived = new Promise((resolve) => {
      this.#arrive = resolve
    })
  }
  open(): void {
    this.#open()
  }
  async pass(): Promise<void> {
    this.#arrive()
    await this.opened
  }
}

const permission = permissionId('R')
const gate = new Gate()
let city: TestCity
let permissions: Database<{ 'permissions.path_v1': { permission_id: string; state: string } }>
let path: string
let events: string[]

async function build(handOverMilliseconds?: number): Promise<void> {
  city = await testCity({
    ...(handOverMilliseconds === undefined ? {} : { handOverMilliseconds }),
    before: (app) =>
      app.addHook('onSend', async (_request, reply) => {
        if (reply.statusCode === 200) await gate.pass()
      }),
  })
  permissions = city.database.connect('permissions')
  const point = await city.point()
  await city.importInto(point.id, halfHours('2026-03-01T00:00:00Z', 96))
  await addPath(city.database.url, {
    ...{ permission, party: adviser.id, point: point.id, customer: alice.id, scope: scopeFor(point.gsrn) },
  })
  path = `/metering-points/${point.id}/readings?from=2026-03-01T00:00:00Z&to=2026-03-03T00:00:00Z`
}
beforeEach(() => {
  events = []
  gate.open()
})
afterEach(async () => {
  gate.open()
  await city.stop()
})

async function read(): Promise<number> {
  const { status } = await city.call(adviser, 'GET', path)
  events.push(`answered ${status}`)
  return status
}

/** What the permissions service does: state and exclusive lock in one transaction, acknowledged after its commit. */
async function revoke({ locking }: { locking: boolean }): Promise<void> {
  await permissions
    .transaction()
    .execute(async (transaction: Kysely<{ 'permissions.path_v1': { permission_id: string; state: string } }>) => {
      await transaction
        .updateTable('permissions.path_v1')
        .set({ state: 'REVOKED' })
        .where('permission_id', '=', permission)
        .execute()
      if (locking) {
        await sql`SET LOCAL lock_timeout = '15s'`.execute(transaction)
        await sql`SELECT pg_advisory_xact_lock(hashtextextended(${`permission:${permission}`}, 0))`.execute(transaction)
      }
    })
  events.push('revocation acknowledged')
}

const waitingForAdvisoryLock = (count: number) => untilAdvisoryLocks({ granted: false }, (n) => n >= count)

/** Asks PostgreSQL again and again, because a lock is taken or given back a moment after its cause. */
async function untilAdvisoryLocks({ granted }: { granted: boolean }, holds: (count: number) => boolean): Promise<void> {
  for (let turn = 0; turn < 5_000; turn++) {
    const { rows } = await sql<{ n: number }>`SELECT count(*) AS n FROM pg_locks WHERE locktype = 'advisory'
      AND granted = ${granted} AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`.execute(
      city.db,
    )
    if (holds(rows[0]?.n ?? 0)) return
  }
  throw new Error(`the advisory locks never came to that (granted: ${granted})`)
}

test('a revocation is acknowledged only after the answer under way has left, and the next read is refused', async () => {
  await build()
  gate.close()
  const answer = read()
  await gate.arrived
  const revocation = revoke({ locking: true })
  await waitingForAdvisoryLock(1)
  expect(events).toEqual([])
  gate.open()
  await Promise.all([answer, revocation])
  expect(events).toEqual(['answered 200', 'revocation acknowledged'])
  expect(await read()).toBe(403)
})

test('without the lock the same race is lost: the acknowledgement overtakes the answer', async () => {
  await build()
  gate.close()
  const answer = read()
  await gate.arrived
  await revoke({ locking: false })
  expect(events).toEqual(['revocation acknowledged'])
  gate.open()
  expect(await answer).toBe(200)
  expect(events).toEqual(['revocation acknowledged', 'answered 200'])
})

test('a read that starts while a revocation waits is decided after it', async () => {
  await build()
  gate.close()
  const first = read()
  await gate.arrived
  const revocation = revoke({ locking: true })
  await waitingForAdvisoryLock(1)
  const second = read()
  await waitingForAdvisoryLock(2)
  gate.open()
  expect(await first).toBe(200)
  await revocation
  expect(await second).toBe(403)
})

test('a client that does not take its answer is cut off and does not hold up the revocation', async () => {
  await build(50)
  const address = new URL(await city.app.listen({ host: '127.0.0.1', port: 0 }))
  gate.close()
  const socket = connectSocket(Number(address.port), address.hostname)
  await once(socket, 'connect')
  const headers = await city.issuer.headers(adviser, 'GET', path)
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: city\r\nAuthorization: ${headers.authorization}\r\nDPoP: ${headers.dpop}\r\n\r\n`,
  )
  let received = ''
  socket.on('data', (chunk) => {
    received += String(chunk)
  })
  const closed = once(socket, 'close')
  await gate.arrived
  await revoke({ locking: true })
  await closed
  gate.open()
  expect(received).not.toContain('readings')
})

test('when all answers have left no lock is held', async () => {
  await build()
  await Promise.all(Array.from({ length: 20 }, read))
  expect(events).toEqual(Array.from({ length: 20 }, () => 'answered 200'))
  await untilAdvisoryLocks({ granted: true }, (held) => held === 0)
  await revoke({ locking: true })
  expect(await read()).toBe(403)
})

test('a caller whose answers are held up leaves connections for everyone else', async () => {
  await build()
  gate.close()
  const answers = Array.from({ length: 30 }, read)
  await gate.arrived
  const elsewhere = await city.call(alice, 'GET', `/access-records/ar_${'z'.repeat(22)}`)
  expect(elsewhere.status).toBe(404)
  gate.open()
  await Promise.all(answers)
  expect(events).toEqual(Array.from({ length: 30 }, () => 'answered 200'))
})

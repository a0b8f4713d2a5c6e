import { toHex } from '@tillit/codec'
import { parseTrustPolicy } from '@tillit/log'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { fetchFromCity } from './fetch-city.ts'
import { json, LyingLog, now, startLyingLog } from './lying-log.fixture.ts'
import { type MonitorOptions, type MonitorRound, monitorCity } from './monitor-city.ts'
import { type MonitorState, parseMonitorState } from './monitor-state.ts'

let log: LyingLog
let state: MonitorState | undefined

beforeEach(async () => {
  log = await startLyingLog()
  state = undefined
})

afterEach(async () => {
  await log.stop()
})

type LookOptions = Partial<MonitorOptions> & { ownWord?: boolean }

/** Looks once more, from the state of the look before as it comes back from a file. */
async function look({ ownWord = false, ...options }: LookOptions = {}): Promise<MonitorRound> {
  const round = await monitorCity({
    ...(ownWord ? {} : { policy: parseTrustPolicy(log.policy) }),
    fetchCity: fetchFromCity(log.url, { pausesMilliseconds: [] }),
    now: () => now,
    ...(state === undefined ? {} : { state }),
    ...options,
  })
  state = parseMonitorState(JSON.parse(JSON.stringify(round.state)))
  return round
}

async function events(options: LookOptions = {}): Promise<string[]> {
  return (await look(options)).events.map(({ type, code }) => (code === null ? type : `${type} ${code}`))
}

/** From now on the city shows another log of so many entries. */
async function showAnotherLog(size: number): Promise<void> {
  const other = await LyingLog.start()
  await other.addDid(30)
  other.addUnlisted(size - 1)
  await other.publish()
  await other.stop()
  for (const path of ['/log/checkpoint', '/log/policy']) log.lies.set(path, () => other.answer(path))
  const tiles = (honest: Uint8Array | null, path: string) => other.answer(path) ?? honest
  for (let index = 0; index < 4; index++)
    for (const level of ['0', '1'])
      for (const width of ['', ...Array.from({ length: 255 }, (_, i) => `.p/${i + 1}`)]) {
        const path = `/log/tile/${level}/${String(index).padStart(3, '0')}${width}`
        log.lies.set(path, (honest) => tiles(honest, path))
      }
}

test('a log that grows is verified each time, and says nothing when it does not', async () => {
  expect(await events()).toEqual(['verified'])
  expect(await events()).toEqual([])
  log.addUnlisted(1000)
  await log.publish({ anchored: true })
  expect(await events()).toEqual(['verified'])
  expect(state?.note).toBe(log.note)
})

test('a fork is told once, with both notes, and the last good head is kept', async () => {
  await look()
  const before = log.note
  await showAnotherLog(log.size + 300)
  const { events: told } = await look()
  expect(told).toMatchObject([
    { type: 'raised', code: 'forked', evidence: [before, expect.stringContaining(`\n${log.size + 300}\n`)] },
  ])
  expect(state?.note).toBe(before)
  expect(await events()).toEqual([])
  log.lies.clear()
  // The honest log again does not undo what was signed.
  expect(await events()).toEqual([])
  expect(state?.alerts.map(({ code }) => code)).toEqual(['forked'])
})

test('two logs of one size are a fork', async () => {
  await look()
  await showAnotherLog(log.size)
  expect(await events()).toEqual(['raised forked'])
})

test('a log that shrinks is told', async () => {
  await look()
  await showAnotherLog(log.size - 10)
  expect(await events()).toEqual(['raised shrunk'])
})

test('tiles that are not those of the checkpoint are told, and told to be right again', async () => {
  await look()
  log.addUnlisted(1)
  await log.publish()
  const path = `/log/tile/0/002.p/${log.size % 256}`
  log.lies.set(path, (honest) => honest?.map((byte) => byte ^ 1) ?? null)
  expect(await events()).toEqual(['raised tiles-differ'])
  log.lies.delete(path)
  expect(await events()).toEqual(['verified', 'cleared tiles-differ'])
})

test('a tile that is missing is told', async () => {
  log.lies.set('/log/tile/0/000', () => null)
  log.lies.set('/log/tile/1/000.p/2', () => null)
  expect(await events()).toEqual(['raised tiles-differ'])
})

test('a quorum that is lost is told until it is back', async () => {
  await look()
  log.addUnlisted(1)
  log.cosigned = false
  await log.publish()
  expect(await events()).toEqual(['raised quorum-lost'])
  expect(await events()).toEqual([])
  log.cosigned = true
  await log.publish()
  expect(await events()).toEqual(['verified', 'cleared quorum-lost'])
})

test('a checkpoint that the log did not sign is told', async () => {
  const other = await startLyingLog()
  await other.stop()
  const vkey = other.vkey.replace('city.example', 'other.example')
  await expect(look({ vkey })).resolves.toMatchObject({ events: [{ code: 'checkpoint-invalid' }] })
})

test('a policy that is not shown any more goes on counting, also for whoever knows the key of the log', async () => {
  const own = { ownWord: true, vkey: log.vkey }
  expect(await events(own)).toEqual(['verified'])
  log.lies.set('/log/policy', () => null)
  log.cosigned = false
  log.addUnlisted(1)
  await log.publish()
  expect(await events(own)).toEqual(['raised keys-changed', 'raised quorum-lost'])
})

test('another policy than the one first seen is told, and the first one goes on counting', async () => {
  const own = { ownWord: true }
  expect(await events(own)).toEqual(['verified'])
  log.lies.set('/log/policy', () => new TextEncoder().encode(`log ${log.vkey}\nquorum none\n`))
  expect(await events(own)).toEqual(['raised keys-changed'])
  log.cosigned = false
  log.addUnlisted(1)
  await log.publish()
  expect(await events(own)).toEqual(['raised quorum-lost'])
})

test('entries that wait too long for a published checkpoint make it stale', async () => {
  let time = now.getTime()
  const clock = { now: () => new Date(time) }
  await look(clock)
  log.status.signed_size = log.size + 7
  expect(await events(clock)).toEqual([])
  time += 299_000
  expect(await events(clock)).toEqual([])
  time += 2000
  expect(await events(clock)).toEqual(['raised stale'])
  log.addUnlisted(7)
  await log.publish()
  expect(await events(clock)).toEqual(['verified', 'cleared stale'])
})

test('a cosignature that is too old makes it stale where the auditor asks for that', async () => {
  const later = { now: () => new Date(now.getTime() + 3_600_000) }
  expect(await events(later)).toEqual(['verified'])
  expect(await events({ ...later, cosignedWithinSeconds: 3599 })).toEqual(['raised stale'])
})

test('what stops publishing is told in the city’s words', async () => {
  log.status.publishing_fault = 'The quorum is not met'
  expect((await look()).events).toContainEqual({
    type: 'raised',
    code: 'publishing-stopped',
    what: 'The quorum is not met',
  })
})

test('a ledger that is given nothing more is told, whatever the city says of it', async () => {
  const readLedgerHead = async () => log.ledger.at(-1) ?? null
  const at = (seconds: number) => ({ readLedgerHead, now: () => new Date(now.getTime() + seconds * 1000) })
  expect(await events(at(0))).toEqual(['verified'])
  log.addUnlisted(5)
  await log.publish()
  expect(await events(at(1))).toEqual(['verified'])
  expect(await events(at(1801))).toEqual([])
  expect(await events(at(1802))).toEqual(['raised unanchored'])
  log.addUnlisted(5)
  await log.publish({ anchored: true })
  expect(await events(at(1803))).toEqual(['verified', 'cleared unanchored'])
})

test('entries that wait too long for the ledger are told', async () => {
  log.status.unanchored = { entries: 3, since: new Date(now.getTime() - 1_801_000).toISOString() }
  expect(await events()).toEqual(['verified', 'raised unanchored'])
})

test('an anchor of another root is told, whoever holds it', async () => {
  const root = new Uint8Array(32).fill(5)
  const readLedgerHead = async () => ({ size: 100, root })
  expect(await events({ readLedgerHead })).toEqual(['verified', 'raised anchor-differs'])
  expect(await events()).toEqual(['cleared anchor-differs'])
  log.status.last_anchor = { ...log.anchors[0], root: toHex(root) }
  expect(await events()).toEqual(['raised anchor-differs'])
})

test('a city that does not answer is told, and nothing else is cleared by that', async () => {
  log.status.publishing_fault = 'The quorum is not met'
  await look()
  log.lies.set('/log/checkpoint', () => null)
  expect(await events()).toEqual(['raised unreachable'])
  expect(state?.alerts.map(({ code }) => code).sort()).toEqual(['publishing-stopped', 'unreachable'])
  log.lies.clear()
  log.status.publishing_fault = null
  expect((await events()).sort()).toEqual(['cleared publishing-stopped', 'cleared unreachable'])
})

test('a malformed answer is told', async () => {
  log.lies.set('/registry/ledger', () => json([]))
  expect(await events()).toEqual(['verified', 'raised malformed'])
})

test('a damaged state is refused', () => {
  for (const damaged of [null, {}, { version: 1 }, { ...emptyState(), alerts: [{}] }, { ...emptyState(), note: 5 }])
    expect(() => parseMonitorState(damaged)).toThrow(expect.objectContaining({ code: 'invalid-request' }))
})

function emptyState(): MonitorState {
  return { version: 1, note: null, policy: null, heldBackSince: null, ledger: null, alerts: [] }
}

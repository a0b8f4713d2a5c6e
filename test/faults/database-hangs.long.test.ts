import { readdirSync, readFileSync } from 'node:fs'
import { connectCity } from '@tillit/client'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type CityProcess, kill, openSite, type Site } from './city-process.ts'
import { eventually } from './eventually.ts'
import { expectNoIdentifiers } from './expect-no-identifiers.ts'
import { type Household, moveIn } from './household.ts'
import { extensionOf, headOf } from './log-heads.ts'
import { postmaster } from './postgres-folders.ts'
import { watchAnswers } from './watch-answers.ts'

/** As long as a client of ours waits for an answer. */
const answerMilliseconds = 30_000
/** Once the connections that hang were left, only opening another one is waited for. */
const laterMilliseconds = 10_000
/** What systemd gives a service to stop. */
const stopMilliseconds = 90_000

let site: Site
let city: CityProcess
let household: Household
let stopped: number[]
beforeEach(async () => {
  stopped = []
  site = await openSite()
  city = site.start()
  await city.ready()
  household = await moveIn(city.url, site)
})
afterEach(async () => {
  for (const pid of stopped) kill(pid, 'SIGCONT')
  await site.clear()
  expectNoIdentifiers(site.logs())
})

/** The server and every process of a connection, which have sessions of their own. */
function processesOfPostgres(): number[] {
  const server = postmaster(site.dataDir)
  const isChild = (pid: string) => {
    try {
      return (
        / ([0-9]+) /.exec(readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) \S/, ''))?.[1] === String(server)
      )
    } catch {
      return false // it ended meanwhile
    }
  }
  return [
    server,
    ...readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && isChild(name))
      .map(Number),
  ]
}

/** As a machine that swaps, or a disk that does not answer: nothing ends, and nothing is answered. */
function freeze(): void {
  stopped = processesOfPostgres()
  for (const pid of stopped) kill(pid, 'SIGSTOP')
}

function thaw(): void {
  for (const pid of stopped.splice(0)) kill(pid, 'SIGCONT')
}

test('a PostgreSQL that hangs without dying: 503 in bounded time, and all works again when it goes on', async () => {
  const before = await headOf(city.url)
  const record = (await household.read()).access_record
  await household.publishDay()
  freeze()
  const watched = watchAnswers()
  const ask = async (path: string) => void (await watched.fetch(city.url + path)).arrayBuffer()
  const many = ['/log/checkpoint', '/registry/ledger', '/trust/organisations', '/health/ready', '/registry/anchors']
  await Promise.all(Array.from({ length: 60 }, (_, i) => ask(many[i % many.length] ?? '')))
  expect(new Set(watched.answers.map(({ status }) => status))).toEqual(new Set([503]))
  expect(Math.max(...watched.answers.map(({ milliseconds }) => milliseconds))).toBeLessThan(answerMilliseconds)
  const later = watchAnswers()
  for (const path of many) await (await later.fetch(city.url + path)).arrayBuffer()
  expect(new Set(later.answers.map(({ status }) => status))).toEqual(new Set([503]))
  expect(Math.max(...later.answers.map(({ milliseconds }) => milliseconds))).toBeLessThan(laterMilliseconds)
  await expect(household.read()).rejects.toMatchObject({ status: 503 })
  expect(await connectCity({ url: city.url }).get('/health/live')).toMatchObject({ status: 'live' })

  thaw()
  await eventually(() => household.read())
  await household.publishDay()
  await eventually(() => household.proofOf(record))
  await extensionOf(city.url, before)
  expect((await city.interrupt()).code).toBe(0)
  expect(site.processes()).toEqual([])
})

test('a city whose PostgreSQL hangs still stops', async () => {
  freeze()
  expect((await city.interrupt()).milliseconds).toBeLessThan(stopMilliseconds)
})

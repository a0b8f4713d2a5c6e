import { testDatabase } from '@tillit/database'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { kill, openSite, type Site } from './city-process.ts'
import { eventually } from './eventually.ts'
import { expectNoIdentifiers } from './expect-no-identifiers.ts'
import { expectWhole, observerOf, watchCheckpoint } from './outside-view.ts'
import { type Fate, openPostgresBetween } from './postgres-between.ts'
import { postmaster } from './postgres-folders.ts'
import { createRegistrants } from './registrants.ts'

const clients = 3
const env = { TILLIT_DEMO: 'off', ANCHOR_INTERVAL_SECONDS: '10' }

let site: Site
beforeEach(async () => {
  site = await openSite()
})
afterEach(async () => {
  await site.clear()
  expectNoIdentifiers(site.logs())
})

test('a city killed at any moment, and its PostgreSQL killed, keep every entry and never show two logs', async () => {
  let city = site.start(env)
  await city.ready()
  const observer = await observerOf(city.url)
  const registrants = createRegistrants({ urls: [city.url], didHost: `localhost:${site.port}` })
  const watching = watchCheckpoint([city.url], observer)
  for (let round = 1; round <= 4; round++) {
    const working = registrants.work(clients)
    const before = registrants.acknowledged.size
    const more = 20 + Math.floor(Math.random() * 80)
    await eventually(() => expect(registrants.acknowledged.size).toBeGreaterThan(before + more))
    if (round % 2 === 0) {
      kill(postmaster(site.dataDir), 'SIGKILL')
      const killed = registrants.acknowledged.size
      await eventually(() => expect(registrants.acknowledged.size).toBeGreaterThan(killed + more))
      await working.stop()
    } else {
      await city.killHard()
      await working.stop()
      city = site.start(env)
      await city.ready()
    }
  }
  const { size, checkpoints, anchors } = await expectWhole(city.url, registrants, observer)
  await watching.stop()
  console.log(`${size} entries under ${checkpoints} checkpoints that were seen, ${anchors} anchors; none contradicts`)
})

/** Where an entry stands when the city is killed: the write that it is on, before or after its commit. */
const boundaries: readonly (readonly [string, string, Fate])[] = [
  ['taking entries into the log', 'insert registry.leaves', 'failed'],
  ['signing', 'insert registry.checkpoints', 'failed but persisted'],
  ['noting what the witnesses did', 'insert registry.witnesses', 'failed'],
  ['publishing', 'insert registry.published_checkpoints', 'failed'],
  ['publishing', 'insert registry.published_checkpoints', 'failed but persisted'],
  ['noting the anchor', 'insert registry.anchors', 'failed'],
]

test('a city killed at each boundary from outbox to anchor goes on where it was', async () => {
  const database = await testDatabase()
  const between = await openPostgresBetween(database.url)
  const start = () => site.start({ ...env, DATABASE_URL: between.url })
  let city = start()
  await city.ready()
  const observer = await observerOf(city.url)
  const registrants = createRegistrants({ urls: [city.url], didHost: `localhost:${site.port}` })
  const watching = watchCheckpoint([city.url], observer)
  for (const [what, write, fate] of boundaries) {
    const { pid } = city
    const working = registrants.work(clients)
    const before = registrants.acknowledged.size
    await eventually(() => expect(registrants.acknowledged.size).toBeGreaterThan(before + 10))
    await between.cutAt({
      of: (done) => done.includes(write),
      fate,
      forGood: true,
      onCut: () => kill(pid, 'SIGKILL'),
    })
    await city.ended
    await working.stop()
    between.restore()
    city = start()
    const milliseconds = await city.ready()
    console.log(`killed while ${what}, ${fate}: ready again after ${(milliseconds / 1000).toFixed(1)} s`)
  }
  const { size, checkpoints, anchors } = await expectWhole(city.url, registrants, observer)
  await watching.stop()
  console.log(`${size} entries under ${checkpoints} checkpoints that were seen, ${anchors} anchors; none contradicts`)
  await city.interrupt()
  await between.close()
  await database.drop()
})

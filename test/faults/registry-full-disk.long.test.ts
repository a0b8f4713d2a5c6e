import { join } from 'node:path'
import { expect, test } from 'vitest'
import { eventually } from './eventually.ts'
import { expectWhole, observerOf, watchCheckpoint } from './outside-view.ts'
import { createRegistrants } from './registrants.ts'
import { openRegistryInUse } from './registry-in-use.ts'
import { mountOrSkip, openSmallSite } from './small-site.ts'

const enoughMegabytes = 300
const witnessMegabytes = 1
/** So many refusals in a row say that there is no room left at all. */
const fullRefusals = 40

test('a witness whose disk is full cosigns nothing, also after its next start, and goes on when there is room', async (context) => {
  const small = await mountOrSkip(context, witnessMegabytes)
  const inUse = await openRegistryInUse({ witnessFolder: join(small.folder, 'witness') })
  const { observer, witness } = inUse.site
  const published = observer.largestSize

  await small.fill()
  for (const restarted of [false, true]) {
    if (restarted) await witness.restart()
    await inUse.work()
    await eventually(async () => {
      const status = await inUse.running.registry.status()
      expect(status.publishing_fault).toContain('answered 500')
      expect(status).toMatchObject({ sequencing_fault: null, latest_checkpoint: { size: published } })
    })
  }
  await small.free()
  await inUse.expectWhole()
  expect(observer.largestSize).toBeGreaterThan(published)
  expect(witness.events.filter(({ event }) => event === 'inconsistent')).toEqual([])
  await inUse.close()
})

test('a disk that fills up under registrations, with database, witness and ledger on it, costs no entry', async (context) => {
  const { disk: small, site } = await openSmallSite(context, enoughMegabytes)
  const env = { TILLIT_DEMO: 'off', ANCHOR_INTERVAL_SECONDS: '10' }
  let city = site.start(env)
  await city.ready()
  const observer = await observerOf(city.url)
  const registrants = createRegistrants({ urls: [city.url], didHost: `localhost:${site.port}` })
  const watching = watchCheckpoint([city.url], observer)
  const more = async (count: number) => {
    const before = registrants.acknowledged.size
    await eventually(() => expect(registrants.acknowledged.size).toBeGreaterThan(before + count))
  }
  const working = registrants.work(2)
  await more(30)
  await small.fill()
  // Room that PostgreSQL had set aside is used up first.
  await eventually(() => expect(registrants.refusedInARow).toBeGreaterThan(fullRefusals), 90)
  await small.free()
  await more(30)
  await working.stop()
  await expectWhole(city.url, registrants, observer)
  await watching.stop()
  expect((await city.interrupt()).code).toBe(0)
  city = site.start(env)
  await city.ready()
  const { size } = await expectWhole(city.url, registrants, observer)
  console.log(
    `${size} entries, ${registrants.acknowledged.size} of them acknowledged before, while and after the disk was full`,
  )
})

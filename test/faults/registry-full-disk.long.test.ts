import { join } from 'node:path'
import { afterEach, expect, type TestContext, test } from 'vitest'
import { openSite, type Site } from './city-process.ts'
import { eventually } from './eventually.ts'
import { expectNoIdentifiers } from './expect-no-identifiers.ts'
import { expectWhole, observerOf, watchCheckpoint } from './outside-view.ts'
import { createRegistrants } from './registrants.ts'
import { openRegistryInUse } from './registry-in-use.ts'
import { mountSmallDisk, type SmallDisk } from './small-disk.ts'

const enoughMegabytes = 300
const witnessMegabytes = 1

let disk: SmallDisk | null = null
let site: Site | null = null
afterEach(async () => {
  await site?.clear()
  await disk?.remove()
  expectNoIdentifiers(site?.logs() ?? '')
  disk = null
  site = null
})

/** Where there can be no small disk, the test says why and is skipped. */
async function mount(context: TestContext, megabytes: number): Promise<SmallDisk> {
  const mounted = await mountSmallDisk(megabytes)
  if ('impossible' in mounted) {
    console.log(`skipped: ${mounted.impossible}`)
    return context.skip(mounted.impossible)
  }
  disk = mounted
  return mounted
}

test('a witness whose disk is full cosigns nothing, also after its next start, and goes on when there is room', async (context) => {
  const small = await mount(context, witnessMegabytes)
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
  const small = await mount(context, enoughMegabytes)
  site = await openSite({ dataDir: join(small.folder, 'city') })
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
  // Until nothing at all has been taken for two seconds: room that PostgreSQL had set aside is used up first.
  await eventually(async () => {
    const before = registrants.acknowledged.size
    await new Promise((later) => setTimeout(later, 2000))
    expect(registrants.acknowledged.size).toBe(before)
  }, 90)
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

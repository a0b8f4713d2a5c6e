import { afterEach, beforeEach, expect, test } from 'vitest'
import { openSite, type Site } from './city-process.ts'
import { eventually } from './eventually.ts'
import { expectNoIdentifiers } from './expect-no-identifiers.ts'
import { moveIn } from './household.ts'
import { keepBusy } from './keep-busy.ts'
import { extensionOf, headOf } from './log-heads.ts'

let site: Site
beforeEach(async () => {
  site = await openSite()
})
afterEach(async () => {
  await site.clear()
  expectNoIdentifiers(site.logs())
})

test('a city killed under load loses nothing that it acknowledged and stores nothing twice', async () => {
  let city = site.start()
  await city.ready()
  const household = await moveIn(city.url, site)
  const reads: string[] = []
  for (let round = 1; round <= 3; round++) {
    const before = await headOf(city.url)
    const acknowledgedBefore = household.acknowledged.length
    const meter = keepBusy(() => household.publishDay())
    const adviser = keepBusy(async () => reads.push((await household.read()).access_record))
    await eventually(() => expect(household.acknowledged.length).toBeGreaterThan(acknowledgedBefore + 10 * round))
    await city.killHard()
    await Promise.all([meter.stop(), adviser.stop()])

    city = site.start()
    const seconds = (await city.ready()) / 1000
    console.log(`round ${round}: ready ${seconds.toFixed(1)} s after the kill`)
    expect(site.processes().filter(({ program }) => program === 'anvil').length).toBe(1)
    await extensionOf(city.url, before)
  }
  await household.publishDay()
  expect(household.acknowledged.map(({ seq }) => seq)).toEqual(household.acknowledged.map((_, index) => index + 1))
  const again = await household.publishAgain()
  expect(again.every(({ replay, stored, duplicates }) => replay && stored === 24 && duplicates === 0)).toBe(true)
  const own = await household.readOwn()
  expect(
    own.readings.map(({ start, value }) => ({ start: new Date(start).toISOString(), value: Number(value) })),
  ).toEqual(household.expectedOwn(household.acknowledged.length))
  const proofs = await eventually(() => Promise.all(reads.map((record) => household.proofOf(record))))
  expect(proofs.every(({ leaf }) => leaf !== null)).toBe(true)
  expect(new Set(proofs.map(({ leaf }) => leaf?.index)).size).toBe(reads.length)
  console.log(`${household.acknowledged.length} batches and ${reads.length} reads acknowledged, none lost`)
})

const moments = [150, 500, 900, 1300, 1700, 2200, 2800, 3400, 4000]

test('a first start that is killed again and again goes on where it was', async () => {
  for (const milliseconds of moments) {
    const city = site.start()
    await Promise.race([city.ready(), new Promise((later) => setTimeout(later, milliseconds))])
    await city.killHard()
  }
  const city = site.start()
  await city.ready()
  await city.interrupt()
  expect(site.processes()).toEqual([])
})

test.each([
  'starting PostgreSQL',
  'making the demonstration city',
  'Kari Nordmann has a meter',
  'Ola Hansen has a meter',
])('killed after "%s" of its first start, the next one completes the demonstration', async (words) => {
  const first = site.start()
  await first.says(words)
  await first.killHard()
  const city = site.start()
  await city.ready()
  const household = await moveIn(city.url, site)
  expect((await household.read()).readings.length).toBeGreaterThan(100)
  const { code } = await city.interrupt()
  expect(code).toBe(0)
})

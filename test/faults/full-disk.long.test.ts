import { expect, test } from 'vitest'
import { eventually } from './eventually.ts'
import { moveIn } from './household.ts'
import { keepBusy } from './keep-busy.ts'
import { extensionOf, headOf } from './log-heads.ts'
import { openSmallSite } from './small-site.ts'
import { type Answer, watchAnswers } from './watch-answers.ts'

const answerMilliseconds = 10_000
const enoughMegabytes = 300
/** So many refusals in a row say that there is no room left at all. */
const fullRefusals = 40

function refusedInARow(answers: readonly Answer[]): number {
  return answers.length - 1 - answers.findLastIndex(({ code }) => code === null)
}

test('a disk that fills up under load: refusals say so, no read without its record, and space again is enough', async (context) => {
  const { disk, site } = await openSmallSite(context, enoughMegabytes)
  let city = site.start()
  await city.ready()
  const watched = watchAnswers()
  const household = await moveIn(city.url, site, { fetch: watched.fetch })
  const before = await headOf(city.url)
  const reads: string[] = []
  const meter = keepBusy(() => household.publishDay())
  const adviser = keepBusy(async () => reads.push((await household.read()).access_record))
  for (let round = 1; round <= 2; round++) {
    const counts = () => ({ batches: household.acknowledged.length, reads: reads.length })
    const start = counts()
    await eventually(() => {
      expect(counts().batches).toBeGreaterThan(start.batches + 3)
      expect(counts().reads).toBeGreaterThan(start.reads + 3)
    })
    const seen = watched.answers.length
    await disk.fill()
    // Room that PostgreSQL had set aside is used up first.
    await eventually(() => expect(refusedInARow(watched.answers)).toBeGreaterThan(fullRefusals), 90)
    const full = counts()
    await disk.free()
    const began = performance.now()
    await eventually(() => {
      expect(counts().batches).toBeGreaterThan(full.batches + 3)
      expect(counts().reads).toBeGreaterThan(full.reads + 3)
    })
    const codes = watched.answers.slice(seen).flatMap(({ code }) => (code === null ? [] : [code]))
    const tally = Object.entries(Object.groupBy(codes, (code) => code)).map(([code, all]) => `${all?.length} ${code}`)
    console.log(
      `round ${round}: ${tally.join(', ')}; both work again ${Math.round(performance.now() - began)} ms after there was room`,
    )
  }
  await Promise.all([meter.stop(), adviser.stop()])
  expect(city.running).toBe(true)
  const refused = watched.answers.filter(({ status }) => status !== 200 && status !== 201)
  expect(refused.filter(({ code }) => code !== 'storage-full' && code !== 'database-unavailable')).toEqual([])
  expect(refused.filter(({ status }) => status !== 507 && status !== 503)).toEqual([])
  expect(Math.max(...watched.answers.map(({ milliseconds }) => milliseconds))).toBeLessThan(answerMilliseconds)

  for (const restarted of [false, true]) {
    if (restarted) {
      expect((await city.interrupt()).code).toBe(0)
      city = site.start()
      await city.ready()
    }
    expect((await household.publishAgain()).every(({ replay, stored }) => replay && stored === 24)).toBe(true)
    const own = await household.readOwn()
    expect(own.readings.map(({ value }) => Number(value))).toEqual(
      household.expectedOwn(household.acknowledged.length).map(({ value }) => value),
    )
    const proofs = await eventually(() => Promise.all(reads.map((record) => household.proofOf(record))))
    expect(proofs.every(({ leaf }) => leaf !== null)).toBe(true)
    await extensionOf(city.url, before)
    const last = reads.at(-1) ?? ''
    await eventually(async () => expect((await household.proofOf(last)).leaf?.anchor).not.toBeNull(), 60)
  }
})

test.for([1, 24, 44, 64])(
  'a first start on a disk of %i MB says that there is no room; on a larger one it goes on',
  async (megabytes, context) => {
    const { disk, site } = await openSmallSite(context, megabytes)
    const first = site.start()
    expect((await first.ended).code).toBe(1)
    expect(first.stderr).toMatch(/no(t enough)? (room|space)/i)
    expect(first.stderr).not.toMatch(/^ {4}at /m)
    expect(first.stdout).toBe('')
    expect(site.processes()).toEqual([])
    await disk.resize(enoughMegabytes)
    await site.start().ready()
  },
)

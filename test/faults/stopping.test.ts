import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { connectCity } from '@tillit/client'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openSite, type Site } from './city-process.ts'
import { expectNoIdentifiers } from './expect-no-identifiers.ts'
import { postgresFolders } from './postgres-folders.ts'

const stopMilliseconds = 10_000

let site: Site
beforeEach(async () => {
  site = await openSite()
})
afterEach(async () => {
  await site.clear()
  expectNoIdentifiers(site.logs())
})

function expectNothingLeft(): void {
  expect(site.processes()).toEqual([])
  expect(existsSync(postgresFolders(site.dataDir).sockets)).toBe(false)
}

async function facts(url: string) {
  const city = connectCity({ url })
  const { did, registrar, log } = await city.get<{ did: string; registrar: string; log: object }>('/authority')
  const { organisations } = await city.get<{ organisations: { did: string }[] }>('/trust/organisations')
  const [, size] = (await city.text('GET', '/log/checkpoint')).split('\n')
  return {
    did,
    registrar,
    log,
    organisations: organisations.map((organisation) => organisation.did).sort(),
    size: Number(size),
  }
}

test('Ctrl-C ends everything, and a second start is quick and keeps its data', async () => {
  const first = site.start()
  const firstReady = await first.ready()
  expect(site.processes().map(({ program }) => program)).toEqual(expect.arrayContaining(['node', 'postgres', 'anvil']))
  const before = await facts(first.url)
  const interrupted = await first.interrupt()
  expect(interrupted.code).toBe(0)
  expect(interrupted.milliseconds).toBeLessThan(stopMilliseconds)
  expectNothingLeft()

  const second = site.start()
  const secondReady = await second.ready()
  const after = await facts(second.url)
  expect(after).toEqual({ ...before, size: after.size })
  expect(after.size).toBeGreaterThanOrEqual(before.size)
  const terminated = await second.interrupt('SIGTERM')
  expect(terminated.code).toBe(0)
  expect(terminated.milliseconds).toBeLessThan(stopMilliseconds)
  expectNothingLeft()
  const seconds = (milliseconds: number) => (milliseconds / 1000).toFixed(1)
  console.log(
    `first start ${seconds(firstReady)} s, stop ${seconds(interrupted.milliseconds)} s, second start ${seconds(secondReady)} s, stop ${seconds(terminated.milliseconds)} s`,
  )
})

test.each(['starting PostgreSQL', 'making the demonstration city', 'has a meter with'])(
  'Ctrl-C after "%s" ends everything too, and the next start goes on from there',
  async (words) => {
    const city = site.start()
    await city.says(words)
    const { code, milliseconds } = await city.interrupt()
    expect(code).toBe(0)
    expect(milliseconds).toBeLessThan(stopMilliseconds)
    expect(city.stderr.split('\n').slice(-3)).toEqual(['', 'Stopping (SIGINT)', ''])
    expectNothingLeft()
    await site.start().ready()
  },
)

test('a city that lost its keys does not go on with new ones, and starts again when they are back', async () => {
  const first = site.start()
  await first.ready()
  const before = await facts(first.url)
  await first.interrupt()
  const keys = join(site.dataDir, 'keys')
  renameSync(keys, `${keys}.away`)

  const keyless = site.start()
  expect((await keyless.ended).code).toBe(1)
  expect(keyless.stderr).toContain('The keys in DATA_DIR are not those of this database.')
  // An empty store, and no key in it.
  expect(readdirSync(keys).sort()).toEqual(['contents.sealed', 'store-key.json'])
  expectNothingLeft()

  rmSync(keys, { recursive: true })
  renameSync(`${keys}.away`, keys)
  const again = site.start()
  await again.ready()
  expect(await facts(again.url)).toMatchObject({ did: before.did, log: before.log })
})

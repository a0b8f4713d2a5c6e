import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { connectCity } from '@tillit/client'
import { type TestDatabase, testDatabase } from '@tillit/database'
import { type Anvil, startAnvil } from '@tillit/ledger'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startWitness, type WitnessProcess } from '../../packages/cli/src/witness-process.fixture.ts'
import { type CityProcess, kill, openSite, type Site } from './city-process.ts'
import { eventually } from './eventually.ts'
import { expectNoIdentifiers } from './expect-no-identifiers.ts'
import { expectWhole, observerOf, watchCheckpoint } from './outside-view.ts'
import { initWitness } from './outside-witness.ts'
import { createRegistrants } from './registrants.ts'

/** What the other city takes while one is frozen, as half of all requests wait for that one in vain. */
const takenMeanwhile = 4

let sites: [Site, Site]
let database: TestDatabase
let anvil: Anvil
let witness: WitnessProcess
beforeEach(async () => {
  sites = [await openSite(), await openSite()]
  database = await testDatabase()
  anvil = await startAnvil({ dataDir: join(sites[0].dataDir, '..', 'ledger') })
})
afterEach(async () => {
  await anvil.stop()
  await witness.kill('SIGTERM')
  for (const site of sites) await site.clear()
  await database.drop()
  for (const site of sites) expectNoIdentifiers(site.logs())
})

test('two cities started by mistake on one database, one killed and one frozen meanwhile, keep one log', async () => {
  const [first, second] = sites
  const env = {
    ...{ TILLIT_DEMO: 'off', ANCHOR_INTERVAL_SECONDS: '10', DID_HOST: `localhost:${first.port}` },
    ...{ DATABASE_URL: database.url, LEDGER_RPC_URL: anvil.rpcUrl },
  }
  const { vkey } = await makeKeys(first, env)
  await mkdir(second.dataDir)
  for (const name of ['keys', 'key-passphrase'])
    await cp(join(first.dataDir, name), join(second.dataDir, name), { recursive: true })
  const state = join(first.dataDir, '..', 'witness')
  const lines = await initWitness({ state, name: 'witness.example/w1' })
  witness = await startWitness('--state', state, '--log', vkey)
  const { port, href: url } = new URL(witness.url)
  const policy = join(first.dataDir, '..', 'policy')
  await writeFile(policy, `log ${vkey}\n${lines.map((line) => `${line} ${url}\n`).join('')}${groupOf(lines)}`)
  const start = (site: Site): CityProcess => site.start({ ...env, WITNESS_POLICY: policy })
  const cities = [start(first), start(second)]
  await Promise.all(cities.map((city) => city.ready()))

  const urls = cities.map((city) => city.url)
  const registrants = createRegistrants({ urls, didHost: env.DID_HOST })
  const observer = await observerOf(urls[0] ?? '')
  const working = registrants.work(4)
  const more = async (count: number) => {
    const before = registrants.acknowledged.size
    await eventually(() => expect(registrants.acknowledged.size).toBeGreaterThan(before + count))
  }
  // What was published before the policy was another one lacks its quorum.
  await eventually(async () =>
    observer.seePublished(await connectCity({ url: urls[1] ?? '' }).text('GET', '/log/checkpoint'), { atLeast: 0 }),
  )
  const watching = watchCheckpoint(urls, observer)
  await more(100)

  // A machine that stops for a while may hold a lock, and goes on afterwards with what it knew before.
  kill(cities[0]?.pid ?? 0, 'SIGSTOP')
  await more(takenMeanwhile)
  kill(cities[0]?.pid ?? 0, 'SIGCONT')
  await more(20)

  await witness.kill('SIGKILL')
  await more(50)
  witness = await startWitness('--state', state, '--log', vkey, '--port', port)
  await more(20)

  await cities[1]?.killHard()
  await more(20)
  cities[1] = start(second)
  await cities[1].ready()
  await more(50)
  await working.stop()
  for (const city of cities) {
    const { size, checkpoints, anchors } = await expectWhole(city.url, registrants, observer)
    console.log(`${size} entries under ${checkpoints} checkpoints that were seen, ${anchors} anchors; none contradicts`)
  }
  await watching.stop()
  const { logs } = (await (await fetch(witness.url)).json()) as { logs: { size: number }[] }
  expect(logs[0]?.size).toBeGreaterThanOrEqual(registrants.acknowledged.size)
  expect(witness.stderr()).toBe('')
  for (const city of cities) expect((await city.interrupt()).code).toBe(0)
})

/** A first start makes the keys of the city; gives the key of its log. */
async function makeKeys(site: Site, env: Record<string, string>): Promise<{ vkey: string }> {
  const city = site.start(env)
  await city.ready()
  const { log } = await connectCity({ url: city.url }).get<{ log: { vkey: string } }>('/authority')
  await city.interrupt()
  return log
}

function groupOf(lines: readonly string[]): string {
  const names = lines.map((line) => line.split(' ')[1] ?? '')
  return `group both all ${names.join(' ')}\nquorum both\n`
}

import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { connectCity } from '@tillit/client'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { freePort } from '../journeys/free-port.ts'
import { openSite, type Site } from './city-process.ts'
import { eventually } from './eventually.ts'
import { expectNoIdentifiers } from './expect-no-identifiers.ts'

let site: Site
beforeEach(async () => {
  site = await openSite()
})
afterEach(async () => {
  await site.clear()
  expectNoIdentifiers(site.logs())
})

/** Starts with these variables and gives the lines that say why the city does not run. */
async function refusal(env: Record<string, string>): Promise<string[]> {
  const city = site.start(env)
  const { code } = await city.ended
  expect(code).toBe(1)
  expect(city.stdout).toBe('')
  expect(site.processes()).toEqual([])
  const steps = /^(Tillit is starting| {2}starting PostgreSQL and the ledger|)$/
  return city.stderr.split('\n').filter((line) => !steps.test(line))
}

test.each([
  [{ PORT: 'abc' }, 'PORT must be a whole number from 1 to 65535'],
  [{ PORT: '0' }, 'PORT must be a whole number from 1 to 65535'],
  [{ ANCHOR_INTERVAL_SECONDS: '1' }, 'ANCHOR_INTERVAL_SECONDS must be a whole number from 10 to 86400'],
  [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL must be one of debug, info, warn, error, silent'],
  [{ DATABASE_URL: 'mysql://x' }, 'DATABASE_URL must start with postgres:// or postgresql://'],
  [{ PUBLIC_URL: 'http://' }, 'PUBLIC_URL must be a URL'],
  [{ TILLIT_ENVIRONMENT: 'production' }, 'PUBLIC_URL must be an https URL in production'],
  [{ TILLIT_ENVIRONMENT: 'prod' }, 'TILLIT_ENVIRONMENT must be one of development, production'],
  [{ KEY_STORE: 'vault' }, 'KEY_STORE must be one of files, pkcs11'],
  [{ KEY_STORE: 'pkcs11' }, 'PKCS11_MODULE names the PKCS#11 library and is needed with KEY_STORE=pkcs11'],
  [{ KEY_PASSPHRASE_FILE: '/none' }, 'KEY_PASSPHRASE_FILE: /none cannot be read'],
  [
    { TILLIT_ENVIRONMENT: 'production', PUBLIC_URL: 'https://city.example', REGISTRAR_NAME: 'City' },
    'KEY_PASSPHRASE_FILE names the file with the passphrase that encrypts the keys and is needed in production; make one with: openssl rand -base64 32',
  ],
])('%o is refused in one line', async (env, line) => {
  expect(await refusal(env)).toEqual([line])
})

test('a data folder that is a file is named in one line', async () => {
  const file = join(site.dataDir, '..', 'file')
  await writeFile(file, '')
  expect(await refusal({ DATA_DIR: file })).toEqual([expect.stringMatching(`^DATA_DIR ${file} cannot be used: EEXIST`)])
  expect(await refusal({ DATA_DIR: join(file, 'below') })).toEqual([expect.stringMatching('cannot be used: ENOTDIR')])
})

test('a database that cannot be reached is told in one line, without its password', async () => {
  const [line, ...more] = await refusal({ DATABASE_URL: `postgresql://me:secret@127.0.0.1:${await freePort()}/x` })
  expect(line).toMatch(/^The database of DATABASE_URL cannot be reached: .*ECONNREFUSED/)
  expect(line).not.toContain('secret')
  expect(more).toEqual([])
})

test('with a ledger that cannot be reached the city runs and says that it is not anchored', async () => {
  const city = site.start({
    LEDGER_RPC_URL: `http://127.0.0.1:${await freePort()}`,
    LEDGER_PRIVATE_KEY: `0x${'1'.repeat(64)}`,
    TILLIT_DEMO: 'off',
  })
  await city.ready()
  await city.says('anchoring: The ledger cannot be reached')
  expect(site.processes().filter(({ program }) => program === 'anvil')).toEqual([])
  const { fault } = await connectCity({ url: city.url }).get<{ fault: string | null }>('/registry/ledger')
  expect(fault).toContain('cannot be reached')
  expect((await city.interrupt()).code).toBe(0)
})

test('an outside ledger without a key is anchored to by an account that the city makes, and it says which', async () => {
  const env = {
    ...{ LEDGER_CHAIN: 'iota-evm-testnet', LEDGER_RPC_URL: `http://127.0.0.1:${await freePort()}`, TILLIT_DEMO: 'off' },
  }
  const accountOf = async () => {
    const city = site.start(env)
    await city.says('the log is anchored by the account 0x')
    await city.ready()
    expect((await city.interrupt()).code).toBe(0)
    return /by the account (0x[0-9a-fA-F]{40}), which pays for it/.exec(city.stderr)?.[1]
  }
  const account = await accountOf()
  expect(account).toBeDefined()
  expect(await accountOf()).toBe(account)
})

test('a port that is taken by another program is named, and nothing is left running', async () => {
  const other = createServer().listen(site.port, '127.0.0.1')
  expect(await refusal({})).toEqual([
    `Port ${site.port} of 127.0.0.1 is taken by another program; give PORT another value`,
  ])
  await new Promise((closed) => other.close(closed))
})

test('a second city on the same data says so and leaves the first one alone', async () => {
  const first = site.start({ TILLIT_DEMO: 'off' })
  await first.ready()
  const second = site.start({ PORT: String(await freePort()) })
  expect((await second.ended).code).toBe(1)
  expect(second.stderr).toBe(
    `Tillit is starting\nAnother city already runs on ${site.dataDir}. Stop it first, or give DATA_DIR and PORT another value.\n`,
  )
  expect(first.running).toBe(true)
  await connectCity({ url: first.url }).get('/authority')
  expect((await first.interrupt()).code).toBe(0)
})

test('of two starts at the same instant exactly one runs', async () => {
  const cities = [site.start({ TILLIT_DEMO: 'off' }), site.start({ TILLIT_DEMO: 'off' })]
  const outcomes = await Promise.allSettled(cities.map((city) => city.ready()))
  expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  const [loser] = cities.filter(({ running }) => !running)
  expect((await loser?.ended)?.code).toBe(1)
  expect(loser?.stderr).toContain('already runs')
  const [winner] = cities.filter(({ running }) => running)
  await eventually(() => connectCity({ url: winner?.url ?? '' }).get('/health/ready'))
  expect((await winner?.interrupt())?.code).toBe(0)
  expect(site.processes()).toEqual([])
})

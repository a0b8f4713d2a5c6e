import { execFile, execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { connectCity, resolveThrough, verifyCredential } from '@tillit/client'
import { parseVerifierKey, verifyCheckpoint } from '@tillit/log'
import type { Party } from '@tillit/schemas'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findSoftHsm, useSoftHsm } from '../../packages/key-store/src/softhsm.fixture.ts'
import { trustOf } from '../journeys/stage.ts'
import { openSite, type Site } from './city-process.ts'
import { eventually } from './eventually.ts'
import { expectNoIdentifiers } from './expect-no-identifiers.ts'
import { connectAs } from './household.ts'

const command = fileURLToPath(new URL('../../services/standalone/src/keys-command.ts', import.meta.url))
const utilityToken = 'city'
const pin = '12345678'

let site: Site
beforeEach(async () => {
  site = await openSite()
})
afterEach(async () => {
  await site.clear()
  expectNoIdentifiers(site.logs())
})

/** `npm run keys -- …` as the operator of the site. */
async function keys(args: string[], env: Record<string, string> = {}): Promise<string> {
  const all = { PATH: process.env.PATH, DATA_DIR: site.dataDir, PORT: String(site.port), ...env }
  const { stdout } = await promisify(execFile)(process.execPath, [command, ...args], { env: all })
  return stdout
}

interface Authority {
  did: string
  registrar: string
  log: { vkey: string }
}

/** What somebody from outside holds of the city, to be checked again later. */
async function holdings(url: string) {
  const anyone = connectCity({ url })
  const authority = await anyone.get<Authority>('/authority')
  const adviser = await connectAs(url, site, 'adviser', {})
  const { did } = JSON.parse(readFileSync(join(site.dataDir, 'demo', 'adviser.json'), 'utf8')) as { did: string }
  const { credential } = await anyone.get<Party>(`/trust/organisations/${encodeURIComponent(did)}`)
  // The answer is of no interest; from now on the connection holds a token of 300 seconds.
  await adviser.get('/permissions')
  const methods = async (of: string) => {
    const { didDocument } = await resolveThrough(anyone, of)
    return (didDocument?.verificationMethod as unknown[] | undefined)?.length
  }
  return { anyone, authority, adviser, credential: credential ?? '', methods }
}

test('when every key was rotated, what was signed before still verifies, and what is signed now does', async () => {
  const first = site.start()
  await first.ready()
  const before = await holdings(first.url)
  const { keys: jwks } = await before.anyone.get<{ keys: { kid: string }[] }>('/oauth/jwks')
  expect((await first.interrupt()).code).toBe(0)

  const named = ['log', 'tokens', 'portal', 'registrar', 'authority', 'utility', 'registrar-update', 'authority-update']
  for (const name of named) expect(await keys(['rotate', name])).toContain('This begins when the city is started.')

  const second = site.start()
  await second.ready()
  const after = await holdings(second.url)
  const note = await eventually(async () => {
    const text = await after.anyone.text('GET', '/log/checkpoint')
    verifyCheckpoint(text, parseVerifierKey(after.authority.log.vkey))
    return text
  })
  expect(after.authority.log.vkey).not.toBe(before.authority.log.vkey)
  verifyCheckpoint(note, parseVerifierKey(before.authority.log.vkey))

  expect(after.authority).toMatchObject({ did: before.authority.did, registrar: before.authority.registrar })
  for (const did of [after.authority.did, after.authority.registrar]) expect(await after.methods(did)).toBe(2)
  const trust = trustOf({ registrar: after.authority.registrar, authority: after.authority.did })
  expect((await verifyCredential(after.anyone, before.credential, trust)).issuer).toBe(after.authority.registrar)

  const { keys: jwksAfter } = await after.anyone.get<{ keys: { kid: string }[] }>('/oauth/jwks')
  expect(jwksAfter.map(({ kid }) => kid)).toEqual([expect.any(String), jwks[0]?.kid])
  // With the token of before; then as the registrar, with a new token for its new key.
  await before.adviser.get('/permissions')
  await (await connectAs(second.url, site, 'registrar', {})).get('/permissions')
  expect((await second.interrupt()).code).toBe(0)
})

test('a city whose key file is gone says which one, and goes on when it is back', async () => {
  const env = { TILLIT_DEMO: 'off' }
  const first = site.start(env)
  await first.ready()
  const { did } = await connectCity({ url: first.url }).get<Authority>('/authority')
  expect((await first.interrupt()).code).toBe(0)
  const file = join(site.dataDir, 'keys', 'authority.key.sealed')
  await rename(file, `${file}.away`)
  const second = site.start(env)
  expect((await second.ended).code).toBe(1)
  expect(second.stderr).toContain('The key file authority.key.sealed is gone; put it back from a copy of the folder')
  await rename(`${file}.away`, file)
  const third = site.start(env)
  await third.ready()
  expect((await connectCity({ url: third.url }).get<Authority>('/authority')).did).toBe(did)
  expect((await third.interrupt()).code).toBe(0)
})

const library = findSoftHsm()
if (library === null) console.log('SoftHSM is not installed here; the city with a token is skipped.')

test.skipIf(library === null)('a city with its keys in a token runs, and rotates them there', async () => {
  const folder = join(site.dataDir, '..', 'softhsm')
  useSoftHsm(folder)
  const hsm = { SOFTHSM2_CONF: process.env.SOFTHSM2_CONF ?? '' }
  const init = ['--init-token', '--free', '--label', utilityToken, '--pin', pin, '--so-pin', '87654321']
  execFileSync('softhsm2-util', init, { stdio: 'pipe', env: { ...process.env, ...hsm } })
  await writeFile(join(folder, 'pin'), `${pin}\n`)
  const env = {
    ...{ ...hsm, TILLIT_DEMO: 'off', KEY_STORE: 'pkcs11', PKCS11_MODULE: library ?? '' },
    ...{ PKCS11_TOKEN_LABEL: utilityToken, PKCS11_PIN_FILE: join(folder, 'pin') },
  }
  const first = site.start(env)
  await first.ready()
  const before = await connectCity({ url: first.url }).get<Authority>('/authority')
  expect((await first.interrupt()).code).toBe(0)
  const held = async () =>
    (await keys(['list'], env))
      .split('\n')
      .map((line) => line.split(/\s+/))
      .map(([key, , where]) => `${key} ${where}`)
  expect(await held()).toEqual(
    expect.arrayContaining(['log.1 token', 'authority.1 token', 'tokens.1 file', 'witness-ml-dsa.1 file']),
  )
  await keys(['rotate', 'log'], env)
  await keys(['rotate', 'authority'], env)
  expect(await held()).toEqual(expect.arrayContaining(['log.1 token', 'log.2 token', 'authority.2 token']))
  const second = site.start(env)
  await second.ready()
  const anyone = connectCity({ url: second.url })
  const after = await anyone.get<Authority>('/authority')
  expect(after.did).toBe(before.did)
  await eventually(async () => {
    const newest = await anyone.text('GET', '/log/checkpoint')
    for (const { log } of [before, after]) verifyCheckpoint(newest, parseVerifierKey(log.vkey))
  })
  expect((await second.interrupt()).code).toBe(0)
})

import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openKeyStore } from './key-store.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tillit-keys-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test('a key is made once, and only its owner may read it', async () => {
  const first = await openKeyStore(folder).privateJwk('log')
  expect(await openKeyStore(folder).privateJwk('log')).toEqual(first)
  expect(readdirSync(folder)).toEqual(['log.jwk.json'])
  expect(statSync(join(folder, 'log.jwk.json')).mode & 0o777).toBe(0o600)
})

test('a half-written key is no key, and a damaged one is refused without quoting it', async () => {
  writeFileSync(join(folder, 'log.jwk.json.partial'), '{"kty":')
  expect(await openKeyStore(folder).privateJwk('log')).toMatchObject({ kty: 'OKP' })
  writeFileSync(join(folder, 'tokens.jwk.json'), '{"d":"secret')
  const fault = await openKeyStore(folder)
    .privateJwk('tokens')
    .catch((error: Error) => error)
  expect(fault).toMatchObject({ code: 'invalid-configuration' })
  expect(fault).not.toHaveProperty('cause')
  expect(String(fault)).not.toContain('secret')
})

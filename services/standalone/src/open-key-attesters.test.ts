import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generatePrivateJwk } from '@tillit/keys'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openKeyAttesters } from './open-key-attesters.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tillit-attesters-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function fileWith(text: string): string {
  const file = join(folder, 'attesters.json')
  writeFileSync(file, text)
  return file
}

test('without a file no attester is trusted, with one those in it', async () => {
  expect(await openKeyAttesters(null)).toBeNull()
  const { d: _, ...jwk } = await generatePrivateJwk()
  const attesters = await openKeyAttesters(fileWith(JSON.stringify({ keys: [{ kid: 'a', jwk }] })))
  expect([...(attesters?.keys.keys() ?? [])]).toEqual(['a'])
})

test.each([
  ['that is not there', () => join(folder, 'missing.json')],
  ['that is no JSON', () => fileWith('{')],
  ['that names nobody', () => fileWith('{}')],
])('a file %s is told to the operator by the name of its variable', async (_, file) => {
  await expect(openKeyAttesters(file())).rejects.toMatchObject({
    code: 'invalid-configuration',
    message: expect.stringContaining('KEY_ATTESTERS'),
  })
})

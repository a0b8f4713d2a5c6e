import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readWallets } from './read-wallets.ts'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tillit-wallets-'))
})
afterAll(() => rm(folder, { recursive: true }))

test('without a file there are no wallets', async () => {
  expect(await readWallets(null)).toEqual([])
})

test('the file is read as it is', async () => {
  const wallets = [
    { client_id: 'https://wallet.example', name: 'Wallet', redirect_uris: ['https://wallet.example/cb'] },
  ]
  const file = join(folder, 'wallets.json')
  await writeFile(file, JSON.stringify(wallets))
  expect(await readWallets(file)).toEqual(wallets)
})

test.each([
  ['missing.json', null],
  ['broken.json', '[{'],
])('%s is refused by its name', async (name, content) => {
  const file = join(folder, name)
  if (content !== null) await writeFile(file, content)
  await expect(readWallets(file)).rejects.toMatchObject({
    code: 'invalid-configuration',
    message: expect.stringContaining(name),
  })
})

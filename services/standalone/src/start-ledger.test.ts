import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fromHex } from '@tillit/codec'
import { type KeyStore, openKeyStore } from '@tillit/key-store'
import { secp256k1SignerFromPrivateKey } from '@tillit/keys'
import { type Anvil, accountAddress, type Ledger, startAnvil } from '@tillit/ledger'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Config, readConfig } from './config.ts'
import { keysCommand } from './keys-command.ts'
import { startLedger } from './start-ledger.ts'

const now = () => new Date('2026-01-01T00:00:00Z')
const passphrase = 'a passphrase that is long enough'
const root = (size: number) => new Uint8Array(32).fill(size)

let chainFolder: string
let anvil: Anvil
let dataDir: string
let keys: KeyStore
let events: string[]

beforeAll(async () => {
  chainFolder = mkdtempSync(join(tmpdir(), 'ledger-'))
  anvil = await startAnvil({ dataDir: chainFolder })
})
afterAll(async () => {
  await anvil.stop()
  rmSync(chainFolder, { recursive: true })
})
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'tillit-city-ledger-'))
  writeFileSync(join(dataDir, 'passphrase'), passphrase)
  events = []
  keys = await openKeyStore({ folder: join(dataDir, 'keys'), passphrase, now })
})
afterEach(async () => {
  await keys.close()
  rmSync(dataDir, { recursive: true })
})

const config = (env: Record<string, string> = {}): Config =>
  readConfig({
    TILLIT_ENVIRONMENT: 'production',
    PUBLIC_URL: 'https://city.example',
    REGISTRAR_NAME: 'City',
    KEY_PASSPHRASE_FILE: join(dataDir, 'passphrase'),
    DATA_DIR: dataDir,
    LEDGER_RPC_URL: anvil.rpcUrl,
    ...env,
  })

async function openLedger(env: Record<string, string> = {}): Promise<Ledger> {
  const { open } = await startLedger(config(env), keys, (event) => events.push(event))
  if ('absent' in open) throw new Error(open.absent)
  return open(new AbortController().signal)
}

async function pay(address: string): Promise<void> {
  const response = await fetch(anvil.rpcUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'anvil_setBalance', params: [address, '0xde0b6b3a7640000'] }),
  })
  expect(await response.json()).not.toHaveProperty('error')
}

const addresses = async () => (await keys.secp256k1Signers('anchor')).map(accountAddress)

async function rotate(): Promise<string> {
  await keys.close()
  const text = await keysCommand(['rotate', 'anchor'], config(), now)
  keys = await openKeyStore({ folder: join(dataDir, 'keys'), passphrase, now })
  return text
}

test('a rotated account anchors in the same contract from when it can pay, and the one before until then', async () => {
  const [first = ''] = await addresses()
  await pay(first)
  const { contract } = await openLedger()
  const text = await rotate()
  const [second = ''] = await addresses()
  expect(text).toContain(second)
  const waiting = await openLedger()
  expect(waiting).toMatchObject({ contract, anchorer: first })
  expect(events.at(-1)).toBe(`until the account ${second} can pay for an anchor, ${first} anchors, which did so before`)
  await waiting.anchor(root(1), 1)
  await pay(second)
  expect(await waiting.anchor(root(2), 2)).toMatchObject({ contract, size: 2 })
  expect(waiting.anchorer).toBe(second)
})

test('keys of before the hand-over and files of before the contract still lead to it', async () => {
  await pay((await addresses())[0] ?? '')
  const { contract } = await openLedger()
  await rotate()
  await rotate()
  const [third = ''] = await addresses()
  await pay(third)
  expect(await openLedger()).toMatchObject({ contract, anchorer: third })
  rmSync(join(dataDir, 'ledger-contracts.json'))
  expect(await openLedger()).toMatchObject({ contract, anchorer: third })
})

test('an account of the environment hands its role to the next one, or to one of the key store', async () => {
  const [former, next] = ['17'.repeat(32), '18'.repeat(32)]
  for (const key of [former, next]) await pay(accountAddress(secp256k1SignerFromPrivateKey(fromHex(key))))
  const first = await openLedger({ LEDGER_PRIVATE_KEY: `0x${former}` })
  const { contract } = first
  const second = await openLedger({ LEDGER_PRIVATE_KEY: `0x${next}`, LEDGER_FORMER_PRIVATE_KEY: `0x${former}` })
  expect(second.contract).toBe(contract)
  expect(second.anchorer).not.toBe(first.anchorer)
  const [own = ''] = await addresses()
  await pay(own)
  expect(await openLedger({ LEDGER_FORMER_PRIVATE_KEY: `0x${next}` })).toMatchObject({ contract, anchorer: own })
  await expect(openLedger({ LEDGER_PRIVATE_KEY: `0x${next}` })).rejects.toThrow('Another account anchors')
})

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { findAnvil } from './find-anvil.ts'
import { openEvmLedger } from './open-evm-ledger.ts'
import { anvilAccount, startAnvil } from './start-anvil.ts'

let dataDir: string
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'anvil-'))
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

const root = new Uint8Array(32).fill(1)
const open = (rpcUrl: string) => openEvmLedger({ rpcUrl, account: anvilAccount() })
const pidOf = () => Number(readFileSync(join(dataDir, 'anvil.pid'), 'utf8'))
const runs = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test('the chain survives a stop and a start', async () => {
  const first = await startAnvil({ dataDir })
  const record = await (await open(first.rpcUrl)).anchor(root, 7)
  const pid = pidOf()
  await first.stop()
  expect(runs(pid)).toBe(false)
  const second = await startAnvil({ dataDir })
  const ledger = await open(second.rpcUrl)
  expect(ledger.contract).toBe(record.contract)
  expect(await ledger.find(7)).toEqual(record)
  await second.stop()
  expect(existsSync(join(dataDir, 'state.previous.json'))).toBe(true)
})

test('a damaged state is put aside, and the ledger comes back', async () => {
  writeFileSync(join(dataDir, 'state.json'), '{"block":{"numb')
  const events: string[] = []
  const anvil = await startAnvil({ dataDir, onEvent: (event) => events.push(event) })
  expect(await (await open(anvil.rpcUrl)).latest()).toBeNull()
  await anvil.stop()
  expect(events.join()).toContain('put aside')
  expect(readdirSync(dataDir)).toContain('state.json.damaged-1')
})

test('a state that is JSON but no chain is put aside too', async () => {
  writeFileSync(join(dataDir, 'state.json'), '{"block":1,"accounts":2}')
  const anvil = await startAnvil({ dataDir })
  expect(await (await open(anvil.rpcUrl)).latest()).toBeNull()
  await anvil.stop()
  expect(readdirSync(dataDir)).toContain('state.json.damaged-1')
})

test('it is restarted on the same address when it dies', async () => {
  const exits = vi.fn()
  const anvil = await startAnvil({ dataDir })
  anvil.onExit(exits)
  const ledger = await open(anvil.rpcUrl)
  const before = pidOf()
  process.kill(before, 'SIGKILL')
  await vi.waitFor(() => expect(existsSync(join(dataDir, 'anvil.pid')) && pidOf()).not.toBe(before), 10_000)
  await vi.waitFor(async () => expect((await ledger.anchor(root, 3)).size).toBe(3), 10_000)
  expect(exits).toHaveBeenCalledTimes(1)
  await anvil.stop()
})

test('it does not outlive a parent that is killed, and the next start takes its place', async () => {
  const program = `
    import { startAnvil } from ${JSON.stringify(new URL('./start-anvil.ts', import.meta.url).href)}
    await startAnvil({ dataDir: ${JSON.stringify(dataDir)} })
    console.log('started')
    setInterval(() => {}, 1000)`
  const parent = spawn(process.execPath, ['--input-type=module-typescript', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(parent.stdout, 'data')
  const orphan = pidOf()
  expect(runs(orphan)).toBe(true)
  parent.kill('SIGKILL')
  const anvil = await startAnvil({ dataDir })
  expect(runs(orphan)).toBe(false)
  expect(pidOf()).not.toBe(orphan)
  await anvil.stop()
})

test('anvil is looked for on PATH when there is no package for the platform', () => {
  expect(findAnvil()).not.toBeNull()
  const platform = vi.spyOn(process, 'platform', 'get').mockReturnValue('aix')
  expect(findAnvil('')).toBeNull()
  writeFileSync(join(dataDir, 'anvil'), '#!/bin/sh\n', { mode: 0o755 })
  expect(findAnvil(`/nowhere:${dataDir}`)).toBe(join(dataDir, 'anvil'))
  platform.mockRestore()
})

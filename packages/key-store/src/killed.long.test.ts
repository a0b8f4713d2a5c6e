import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openKeyStore } from './index.ts'

const passphrase = 'a passphrase that is long enough'
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tillit-keys-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test('a process that is killed while it writes loses nothing that it had said was written', async () => {
  const writer = fileURLToPath(new URL('./keep-writing.fixture.ts', import.meta.url))
  let least = 0
  for (const kills of [1, 2, 3, 7, 30, 80]) {
    const child = spawn(process.execPath, [writer, folder, passphrase], { stdio: ['ignore', 'pipe', 'inherit'] })
    let said = 0
    for await (const line of createInterface({ input: child.stdout })) {
      least = Number(line)
      said += 1
      if (said === kills) child.kill('SIGKILL')
    }
    const keys = await openKeyStore({ folder, passphrase, now: () => new Date() })
    expect(Number(await keys.find('counter'))).toBeGreaterThanOrEqual(least)
    const versions = (await keys.list()).filter(({ name }) => name === 'log').map(({ version }) => version)
    expect(versions[0]).toBeGreaterThanOrEqual(least)
  }
})

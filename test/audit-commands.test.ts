import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { LyingLog, startLyingLog } from '../packages/client/src/audit/lying-log.fixture.ts'

const bin = fileURLToPath(new URL('../packages/cli/bin/tillit.mjs', import.meta.url))
let log: Awaited<ReturnType<typeof startLyingLog>>
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tillit-audit-'))
  log = await startLyingLog()
  await writeFile(join(folder, 'policy'), log.policy)
})

afterEach(async () => {
  await log.stop()
  await rm(folder, { recursive: true })
})

interface Ran {
  status: number
  out: string
  err: string
}

/** The command as a person runs it: exit status, standard output and standard error. */
function tillit(...args: string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(process.execPath, [bin, ...args], { cwd: folder, env: {} }, (error, out, err) => {
      resolve({ status: error === null ? 0 : Number(error.code), out, err })
    })
  })
}

describe('tillit fsck', () => {
  test('says that an honest city is sound, shows how far it is, and leaves with 0', async () => {
    const { status, out, err } = await tillit('fsck', log.url, '--policy', 'policy')
    expect(out).toContain('✓ nothing contradicts the city')
    expect(out).toMatch(/^ {2}log {10}city\.example\/log\n {2}entries {6}/)
    expect(out).toContain(`${log.size}: 6 public ones opened, ${log.size - 6} seen as commitments only`)
    expect(out).toMatch(/cosigned by +w1\n/)
    expect(out).toMatch(/checkpoints +3 published ones compared/)
    expect(err).toContain(`100 %  ${log.size} of ${log.size} entries replayed`)
    expect(err).toContain('100 %  3 of 3 histories of DIDs compared')
    expect(status).toBe(0)
  })

  test('names what is wrong and where, and leaves with 1', async () => {
    log.lies.set('/log/tile/0/000', (honest) => honest?.map((byte, at) => (at === 9 ? byte ^ 1 : byte)) ?? null)
    const { status, out } = await tillit('fsck', log.url, '--json')
    expect(JSON.parse(out)).toMatchObject({
      ...{ sound: false, trust: { key: 'the log’s own', witnesses: 'the log’s own' }, ledger: null },
      findings: [{ severity: 'error', code: 'tile-differs', where: '/log/tile/0/000' }],
    })
    expect(status).toBe(1)
  })

  test('with a key alone, does not pass the witnesses off as the auditor’s', async () => {
    const { status, out } = await tillit('fsck', log.url, '--vkey', log.vkey)
    expect(out).toContain('judged by    the auditor’s word for the key, the log’s own for the witnesses')
    expect(status).toBe(0)
    expect((await tillit('fsck', log.url, '--policy', 'policy')).out).toContain('judged by    the auditor’s word\n')
  })

  test('without a URL, or with a policy that is none, says how it is called', async () => {
    expect(await tillit('fsck')).toMatchObject({ status: 2, err: expect.stringContaining('tillit fsck URL') })
    expect(await tillit('fsck', 'file:///etc')).toMatchObject({ status: 2 })
    expect(await tillit('fsck', log.url, '--policy', 'nowhere')).toMatchObject({ status: 2 })
    await writeFile(join(folder, 'policy'), 'quorum nobody\n')
    expect(await tillit('fsck', log.url, '--policy', 'policy')).toMatchObject({ status: 1 })
  })
})

describe('tillit receipt', () => {
  test.each(['DID', 'index', 'commitment'])(
    'of a public entry, by its %s, is one that tillit verify takes',
    async (by) => {
      const newest = log.openings.findLast(({ entry }) => JSON.stringify(entry).includes(log.plain))
      const name = { DID: log.plain, index: String(newest?.index), commitment: newest?.commitment }[by] ?? ''
      const made = await tillit('receipt', name, '--city', log.url)
      expect(made).toMatchObject({ status: 0, err: '' })
      expect(JSON.parse(made.out)).toMatchObject({ city: log.url, opening: { commitment: newest?.commitment } })
      await writeFile(join(folder, 'receipt.json'), made.out)
      const verified = await tillit('verify', 'receipt.json', '--policy', 'policy', '--offline')
      expect(verified).toMatchObject({ status: 3, err: '' })
      expect(verified.out).toContain(`✓ entry ${newest?.index} of the log`)
    },
  )

  test('of an entry that is not public, or not there, is refused', async () => {
    for (const entry of ['0', String(log.size), 'did:web:nobody.example', '0'.repeat(64)])
      expect(await tillit('receipt', entry, '--city', log.url), entry).toMatchObject({ status: 1, out: '' })
    expect(await tillit('receipt', 'nonsense', '--city', log.url)).toMatchObject({ status: 2, out: '' })
    expect(await tillit('receipt')).toMatchObject({ status: 2, err: expect.stringContaining('ENTRY is missing.') })
  })

  test('of a city that opens another entry than was committed to is refused', async () => {
    log.lies.set('/log/openings', (honest) => {
      const page = JSON.parse(new TextDecoder().decode(honest ?? new Uint8Array()))
      for (const opening of page.openings) opening.entry.versionTime = '2020-01-01T00:00:00Z'
      return new TextEncoder().encode(JSON.stringify(page))
    })
    const made = await tillit('receipt', log.plain, '--city', log.url)
    expect(made).toMatchObject({ status: 1, out: '', err: expect.stringContaining('invalid-receipt') })
  })
})

describe('tillit monitor', () => {
  const look = (...more: string[]) =>
    tillit('monitor', log.url, '--once', '--state', 'state.json', '--policy', 'policy', ...more)

  test('remembers the head, and keeps both notes of a fork beside its state', async () => {
    const first = log.note
    expect(await look()).toMatchObject({ status: 0, out: expect.stringContaining(`first seen at ${log.size} entries`) })
    expect(await look()).toMatchObject({ status: 0, out: '' })
    const other = await LyingLog.start()
    other.addUnlisted(log.size)
    await other.publish()
    await other.stop()
    log.lies.set('/log/checkpoint', () => other.answer('/log/checkpoint'))
    const posted: unknown[] = []
    const webhook = createServer((request, response) => {
      request.on('data', (chunk: Buffer) => posted.push(JSON.parse(chunk.toString())))
      request.on('end', () => response.end())
    })
    webhook.listen(0, '127.0.0.1')
    await once(webhook, 'listening')
    const { port } = webhook.address() as AddressInfo
    const forked = await look('--webhook', `http://127.0.0.1:${port}/`)
    webhook.close()
    expect(forked).toMatchObject({ status: 1, out: expect.stringMatching(/^\S+ ✗ forked: There are two logs/) })
    expect(posted).toMatchObject([{ type: 'raised', code: 'forked', city: log.url }])
    const evidence = (await readdir(folder)).find((name) => name.startsWith('tillit-evidence-')) ?? ''
    expect(await readFile(join(folder, evidence), 'utf8')).toBe(`${first}\n${other.note}`)
    // Told once; the alert stands.
    expect(await look()).toMatchObject({ status: 1, out: '' })
  })

  test('follows until it is told to stop, and then leaves with 0 when no alert stands', async () => {
    const child = spawn(process.execPath, [bin, 'monitor', log.url, '--interval', '1'], { cwd: folder, env: {} })
    const left = once(child, 'exit')
    await once(child.stdout, 'data')
    log.addUnlisted(3)
    await log.publish()
    const [line] = await once(child.stdout, 'data')
    expect(String(line)).toMatch(/ ✓ \d+ entries extend the \d+ before\n$/)
    child.kill('SIGINT')
    expect(await left).toEqual([0, null])
  })

  test('stops at once while it waits for a city that never answers', async () => {
    const silent = createServer()
    silent.listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    const child = spawn(process.execPath, [bin, 'monitor', `http://127.0.0.1:${port}`], { cwd: folder, env: {} })
    const left = once(child, 'exit')
    await once(silent, 'request')
    child.kill('SIGINT')
    expect(await left).toEqual([0, null])
    silent.closeAllConnections()
    silent.close()
  })

  test('refuses a damaged state rather than start anew', async () => {
    await writeFile(join(folder, 'state.json'), '{"version":1}')
    expect(await look()).toMatchObject({ status: 1, err: expect.stringContaining('state is damaged') })
  })

  test('gives each alert as JSON when asked to', async () => {
    log.cosigned = false
    await log.publish()
    const { status, out } = await look('--json')
    expect(JSON.parse(out)).toMatchObject({ type: 'raised', code: 'quorum-lost', evidence: null })
    expect(status).toBe(1)
  })
})

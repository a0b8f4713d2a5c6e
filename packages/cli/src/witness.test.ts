import { execFile } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { signerFromSeed } from '@tillit/keys'
import {
  formatAddCheckpoint,
  formatVerifierKey,
  leafHash,
  parseTrustPolicy,
  rootOfLeaves,
  signCheckpoint,
  verifierKey,
  verifyWithPolicy,
} from '@tillit/log'
import { httpWitnessPeer } from '@tillit/witness'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { witness, witnessUsage } from './witness.ts'
import { initWitness } from './witness-init.ts'
import { makeWitnessKeys, readWitnessKeys } from './witness-keys.ts'
import { startWitness } from './witness-process.fixture.ts'

const bin = fileURLToPath(new URL('../bin/tillit.mjs', import.meta.url))
const origin = 'city.example/log'
const signer = await signerFromSeed(new Uint8Array(32).fill(1))
const vkey = formatVerifierKey(verifierKey(origin, signer.publicKey))
let folder: string
let state: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tillit-witness-'))
  state = join(folder, 'state')
})
afterEach(() => rm(folder, { recursive: true }))

const root = (size: number) => rootOfLeaves(Array.from({ length: size }, (_, i) => leafHash(Uint8Array.of(i))))
const checkpoint = (size: number) => signCheckpoint({ origin, size, root: root(size) }, signer)

function tillit(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [bin, ...args], { cwd: folder, env: {} }, (error, out, err) => {
      resolve({ status: error === null ? 0 : Number(error.code), out, err })
    })
  })
}

const makeKeys = () => makeWitnessKeys(state, 'witness.example/w1')

describe('tillit witness init', () => {
  test('makes keys that only their user reads, and prints policy lines that verify what the witness cosigns', async () => {
    const made = await tillit('witness', 'init', '--name', 'witness.example/w1', '--url', 'https://w.example/')
    expect(made.status).toBe(0)
    const place = join(folder, 'witness')
    expect((await stat(join(place, 'keys.json'))).mode & 0o777).toBe(0o600)
    const seeds = JSON.parse(await readFile(join(place, 'keys.json'), 'utf8')) as Record<string, string>
    expect(made.out + made.err).not.toContain(seeds.ed25519_seed)
    expect(made.out + made.err).not.toContain(seeds.ml_dsa_44_seed)

    const names = 'witness.example/w1 witness.example/w1/ml-dsa-44'
    const policy = parseTrustPolicy(`log ${vkey}\n${made.out}group both all ${names}\nquorum both\n`)
    expect(policy.witnesses.map(({ url }) => url)).toEqual(['https://w.example/', 'https://w.example/'])
    const running = await startWitness('--state', place, '--log', vkey)
    const peer = httpWitnessPeer({ url: running.url, timeoutMilliseconds: 5_000 })
    const { body } = await peer.addCheckpoint(formatAddCheckpoint({ oldSize: 0, proof: [], note: await checkpoint(5) }))
    expect(
      verifyWithPolicy((await checkpoint(5)) + body, policy)
        .cosignedBy.map(({ name }) => name)
        .join(' '),
    ).toBe(names)
    expect(await running.kill('SIGTERM')).toEqual({ code: 0, signal: null })
    expect(running.stderr()).toBe('')
  })

  test('never replaces keys', async () => {
    await makeKeys()
    const before = await readFile(join(state, 'keys.json'), 'utf8')
    await expect(initWitness(['--name', 'w', '--state', state])).rejects.toThrow('A witness keeps its keys')
    expect(await readFile(join(state, 'keys.json'), 'utf8')).toBe(before)
  })

  test.each([[[]], [['--name', '']], [['--name', 'two words']], [['--name', 'a+b']]])('refuses %j', async (args) => {
    await expect(initWitness(['--state', state, ...args])).rejects.toThrow(/NAME|name/)
    await expect(stat(state)).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

describe('tillit witness rotate', () => {
  const linesOf = (text: string) => text.split('\n').filter((line) => line.startsWith('witness '))

  test('makes keys that cosign beside the old ones until those are ended, whatever policy asks for', async () => {
    const init = await tillit('witness', 'init', '--name', 'w.example', '--url', 'https://w.example/')
    const rotated = await tillit('witness', 'rotate', '--url', 'https://w.example/')
    expect(rotated).toMatchObject({ status: 0, err: '' })
    const [before, both] = [linesOf(init.out), linesOf(rotated.out)]
    expect(both.slice(2)).toEqual(before)
    expect(both.map((line) => line.split(' ')[1])).toEqual([
      ...['w.example/key-2', 'w.example/key-2/ml-dsa-44', 'w.example', 'w.example/ml-dsa-44'],
    ])
    const policyOf = (lines: string[], quorum: string) =>
      parseTrustPolicy([`log ${vkey}`, ...lines, quorum, ''].join('\n'))
    const old = policyOf(before, 'group all all w.example w.example/ml-dsa-44\nquorum all')
    const overlap = policyOf(both, `${/^# (group .*)$/m.exec(rotated.out)?.[1]}\nquorum w.example/any`)
    const fresh = policyOf(both.slice(0, 2), 'group all all w.example/key-2 w.example/key-2/ml-dsa-44\nquorum all')

    const note = await checkpoint(5)
    const cosigned = note + (await cosignaturesOf(note))
    for (const policy of [old, overlap, fresh]) expect(() => verifyWithPolicy(cosigned, policy)).not.toThrow()

    const again = await tillit('witness', 'rotate', '--url', 'https://w.example/')
    expect(again).toEqual({ status: 0, out: rotated.out, err: expect.stringContaining('were rotated before') })
    const ended = await tillit('witness', 'rotate', '--end', '--url', 'https://w.example/')
    expect(linesOf(ended.out)).toEqual(both.slice(0, 2))
    expect(await tillit('witness', 'rotate', '--end')).toMatchObject({ status: 0, err: 'There are no old keys.\n' })

    // It remembers what it cosigned, under whichever key.
    const fork = await signCheckpoint({ origin, size: 5, root: root(4) }, signer)
    expect(await cosignaturesOf(fork, { oldSize: 5, status: 409 })).toContain('Another root was cosigned')
    const later = note + (await cosignaturesOf(note, { oldSize: 5 }))
    for (const policy of [overlap, fresh]) expect(() => verifyWithPolicy(later, policy)).not.toThrow()
    expect(() => verifyWithPolicy(later, old)).toThrow()
    expect(linesOf((await tillit('witness', 'rotate')).out)[0]).toMatch(/^witness w\.example\/key-3 /)
  })

  test('wants the witness stopped, and keys that are there', async () => {
    expect(await tillit('witness', 'rotate')).toMatchObject({ status: 2, err: expect.stringContaining('witness init') })
    await expect(stat(join(folder, 'witness'))).rejects.toMatchObject({ code: 'ENOENT' })
    await makeKeys()
    const before = await readFile(join(state, 'keys.json'), 'utf8')
    const running = await startWitness('--state', state, '--log', vkey)
    for (const options of [[], ['--end']])
      expect(await tillit('witness', 'rotate', '--state', state, ...options)).toMatchObject({
        status: 1,
        err: expect.stringContaining('already runs'),
      })
    await running.kill('SIGTERM')
    expect(await readFile(join(state, 'keys.json'), 'utf8')).toBe(before)
  })

  test('that was interrupted before the new file took its place has changed nothing, and ends well when it is repeated', async () => {
    await makeKeys()
    const before = await readWitnessKeys(state)
    await writeFile(join(state, 'keys.json.new'), '{"name":')
    expect((await readWitnessKeys(state)).pairs).toHaveLength(1)
    expect(await tillit('witness', 'rotate', '--state', state)).toMatchObject({ status: 0 })
    const { pairs } = await readWitnessKeys(state)
    expect(pairs.map(({ version }) => version)).toEqual([2, 1])
    expect(pairs[1]?.signers[0].publicKey).toEqual(before.pairs[0].signers[0].publicKey)
    expect((await stat(join(state, 'keys.json'))).mode & 0o777).toBe(0o600)
    await expect(stat(join(state, 'keys.json.new'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  async function cosignaturesOf(note: string, { oldSize = 0, status = 200 } = {}): Promise<string> {
    const running = await startWitness('--state', join(folder, 'witness'), '--log', vkey)
    const peer = httpWitnessPeer({ url: running.url, timeoutMilliseconds: 5_000 })
    const reply = await peer.addCheckpoint(formatAddCheckpoint({ oldSize, proof: [], note }))
    await running.kill('SIGTERM')
    expect(reply.status).toBe(status)
    return reply.body
  }
})

describe('tillit witness', () => {
  test('says how it is called', async () => {
    await expect(witness([])).rejects.toThrow(witnessUsage)
    await expect(witness(['--log', vkey, '--state', state])).rejects.toThrow('tillit witness init --name NAME')
    await expect(witness(['--log', vkey, '--state', state, '--port', '70000'])).rejects.toThrow('70000 is not a port')
    await expect(witness(['--log', 'nonsense'])).rejects.toMatchObject({ code: 'invalid-checkpoint' })
  })

  test('refuses another name, keys that others may read, and damaged keys', async () => {
    await makeKeys()
    const run = (...args: string[]) => witness(['--log', vkey, '--state', state, ...args])
    await expect(run('--name', 'other.example')).rejects.toThrow('is witness.example/w1, not other.example')
    const file = join(state, 'keys.json')
    await chmod(file, 0o644)
    await expect(run()).rejects.toThrow(`chmod 600 ${file}`)
    await chmod(file, 0o600)
    const whole = await readFile(file, 'utf8')
    for (const text of ['', '{}', whole.slice(0, -10), whole.replace(/[0-9a-f]{2}",/, '",')]) {
      await writeFile(file, text)
      await expect(run()).rejects.toThrow(`${file} is damaged`)
    }
    await writeFile(file, whole)
    expect((await readWitnessKeys(state)).name).toBe('witness.example/w1')
  })

  test('lets go of its folder when it cannot listen', async () => {
    await makeKeys()
    const taken = createServer()
    await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done))
    const { port } = taken.address() as { port: number }
    const args = ['--log', vkey, '--state', state, '--port', String(port)]
    await expect(witness(args)).rejects.toThrow('cannot listen there')
    await expect(witness(args)).rejects.toThrow('cannot listen there')
    await new Promise((done) => taken.close(done))
  })
})

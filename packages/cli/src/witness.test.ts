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

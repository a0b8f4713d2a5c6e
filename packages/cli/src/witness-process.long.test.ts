import { watch } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { signerFromSeed } from '@tillit/keys'
import {
  formatAddCheckpoint,
  formatVerifierKey,
  leafHash,
  rootOfLeaves,
  signCheckpoint,
  verifierKey,
} from '@tillit/log'
import { httpWitnessPeer } from '@tillit/witness'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { witness } from './witness.ts'
import { makeWitnessKeys } from './witness-keys.ts'
import { startWitness } from './witness-process.fixture.ts'

const origin = 'city.example/log'
const signer = await signerFromSeed(new Uint8Array(32).fill(1))
const vkey = formatVerifierKey(verifierKey(origin, signer.publicKey))
const rounds = 5
let folder: string
let state: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tillit-witness-'))
  state = join(folder, 'state')
  await makeWitnessKeys(state, 'witness.example/w1')
})
afterEach(() => rm(folder, { recursive: true }))

/** Trees of 2^n leaves that are all alike: each is the other half of the next, so one hash proves the step. */
function tree(level: number, leaf: string): Uint8Array {
  return rootOfLeaves(Array.from({ length: 2 ** level }, () => leafHash(new TextEncoder().encode(leaf))))
}

async function step(level: number, leaf: string): Promise<string> {
  const note = await signCheckpoint({ origin, size: 2 ** level, root: tree(level, leaf) }, signer)
  const old = level === 0 ? { oldSize: 0, proof: [] } : { oldSize: 2 ** (level - 1), proof: [tree(level - 1, leaf)] }
  return formatAddCheckpoint({ ...old, note })
}

test('takes its logs from a policy file, and refuses one that is not a policy', async () => {
  const file = join(folder, 'policy')
  await writeFile(file, `log ${vkey}\nquorum none\n`)
  const running = await startWitness('--state', state, '--log-policy', file)
  const { logs } = (await (await fetch(running.url)).json()) as { logs: { origin: string }[] }
  expect(logs.map((log) => log.origin)).toEqual([origin])
  await running.kill('SIGINT')
  await writeFile(file, `log ${vkey}\n`)
  await expect(witness(['--state', state, '--log-policy', file])).rejects.toMatchObject({
    code: 'invalid-trust-policy',
  })
})

test('is one process on its folder', async () => {
  const running = await startWitness('--state', state, '--log', vkey)
  await expect(startWitness('--state', state, '--log', vkey)).rejects.toThrow('already-running')
  expect(await running.kill('SIGTERM')).toEqual({ code: 0, signal: null })
})

test('a witness that is killed while it stores never forgets what it cosigned, and never cosigns a fork', async () => {
  const answers: unknown[] = []
  let level = -1
  for (let round = 0; round < rounds; round++) {
    const running = await startWitness('--state', state, '--log', vkey)
    const peer = httpWitnessPeer({ url: running.url, timeoutMilliseconds: 10_000 })
    // Each round lets the folder change once more before the kill: nothing yet, the partial file, its content, its new name.
    const killed = changes(join(state, 'logs'), round).then(() => running.kill('SIGKILL'))
    const answer = await peer.addCheckpoint(await step(level + 1, 'true')).then(
      (reply) => reply.status,
      () => 'no answer' as const,
    )
    answers.push(answer)
    await (answer === 200 ? running.kill('SIGKILL') : killed)

    const again = await startWitness('--state', state, '--log', vkey)
    const after = httpWitnessPeer({ url: again.url, timeoutMilliseconds: 10_000 })
    const { logs } = (await (await fetch(again.url)).json()) as { logs: { size: number | null }[] }
    const size = logs[0]?.size ?? null
    const before = level < 0 ? null : 2 ** level
    expect(answer === 200 ? [2 ** (level + 1)] : [before, 2 ** (level + 1)]).toContain(size)
    // From whatever size it has, another history is refused and the true one goes on.
    if (size !== null) {
      level = Math.log2(size)
      expect((await after.addCheckpoint(await step(level + 1, 'false'))).status).toBe(422)
    }
    level++
    expect((await after.addCheckpoint(await step(level, 'true'))).status).toBe(200)
    expect(await again.kill('SIGTERM')).toEqual({ code: 0, signal: null })
  }
  // Else no kill came while it stored, and nothing was shown.
  expect(answers).toContain('no answer')
})

/** Resolves when the folder has changed so many times. */
function changes(folder: string, count: number): Promise<void> {
  if (count === 0) return Promise.resolve()
  return new Promise((resolve) => {
    let seen = 0
    const watcher = watch(folder, () => {
      if (++seen < count) return
      watcher.close()
      resolve()
    })
    watcher.unref()
  })
}

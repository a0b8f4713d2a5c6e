import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mlDsa44SignerFromSeed, signerFromSeed } from '@tillit/keys'
import {
  formatAddCheckpoint,
  formatCosignerKey,
  formatVerifierKey,
  parseNote,
  parseTrustPolicy,
  verifyCosignature,
  verifyWithPolicy,
} from '@tillit/log'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type SmallLog, smallLog } from './small-log.fixture.ts'
import { diskFiles, type StateFiles } from './state-files.ts'
import { createWitness, type Witness, type WitnessEvent } from './witness.ts'
import { originHash } from './witness-record.ts'
import { openWitnessState, type WitnessState } from './witness-state.ts'

const signers = [
  await signerFromSeed(new Uint8Array(32).fill(7)),
  await mlDsa44SignerFromSeed(new Uint8Array(32).fill(8)),
]
const log = await smallLog({ forkedAt: 3 })
const other = await smallLog({ origin: 'other.example/log', seed: 2 })

let folder: string
let states: WitnessState[]
let events: WitnessEvent[]
const clock = { seconds: 1_790_000_000 }

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tillit-witness-'))
  states = []
  events = []
  clock.seconds = 1_790_000_000
})
afterEach(async () => {
  for (const state of states) await state.close()
  await rm(folder, { recursive: true })
})

async function open(files?: StateFiles): Promise<Witness> {
  const state = await openWitnessState(folder, files)
  states.push(state)
  return createWitness({
    name: 'witness.example/w1',
    signers,
    logs: [log.key, other.key],
    state,
    now: () => new Date(clock.seconds * 1000),
    report: (event) => events.push(event),
  })
}

/** As a restart after a crash: whatever the process knew is gone, the folder is as it was left. */
async function reopen(files?: StateFiles): Promise<Witness> {
  for (const state of states.splice(0)) await state.close()
  return open(files)
}

const recordFile = (of: SmallLog) => join(folder, 'logs', originHash(of.origin))

describe('a witness', () => {
  test('cosigns with each of its keys, and any policy that lists them is met', async () => {
    const witness = await open()
    const reply = await witness.addCheckpoint(await log.step(0, 5))
    expect(reply).toMatchObject({ status: 200, contentType: 'text/plain; charset=utf-8' })
    const note = (await log.checkpoint(5)) + reply.body
    expect(witness.keys.map((key) => verifyCosignature(note, key))).toEqual([
      { timestampSeconds: clock.seconds },
      { timestampSeconds: clock.seconds },
    ])
    expect(witness.keys.map(({ type }) => type)).toEqual(['ed25519', 'ml-dsa-44'])
    expect(parseNote(note).signatures).toHaveLength(3)
  })

  test('keeps the note that it cosigned, without signatures of strangers, for monitors', async () => {
    const witness = await open()
    const stranger = '— stranger.example AAAAAAAAAAAAAAAA\n'
    const { body } = await witness.addCheckpoint((await log.step(0, 5)) + stranger)
    expect((await witness.latest(log.origin))?.note).toBe((await log.checkpoint(5)) + body)
    expect(await witness.latest(other.origin)).toBe(null)
  })

  test('answers in signature lines only, each with its newline', async () => {
    const { body } = await (await open()).addCheckpoint(await log.step(0, 5))
    expect(body).toMatch(/^(— witness\.example\/w1 [A-Za-z0-9+/=]+\n){2}$/)
  })

  test('tells the size that it cosigned to a client that does not know it', async () => {
    const witness = await open()
    await witness.addCheckpoint(await log.step(0, 5))
    expect(await witness.addCheckpoint(await log.step(0, 7))).toEqual({
      status: 409,
      contentType: 'text/x.tlog.size',
      body: '5\n',
    })
  })

  test('takes a wrong proof before its first tree, or of the very tree that it cosigned, for no evidence against the log', async () => {
    const witness = await open()
    const note = await log.checkpoint(4)
    const under = (oldSize: number) => formatAddCheckpoint({ oldSize, proof: [log.root(4)], note })
    expect(await witness.addCheckpoint(under(0))).toMatchObject({ status: 422 })
    await witness.addCheckpoint(await log.step(0, 4))
    expect(await witness.addCheckpoint(under(4))).toMatchObject({ status: 422 })
    expect(events.map(({ event }) => event)).toEqual(['cosigned'])
    expect(await readdir(join(folder, 'evidence'))).toEqual([])
  })

  test('refuses a fork, keeps it as evidence once, and goes on with the true log', async () => {
    const witness = await open()
    await witness.addCheckpoint(await log.step(0, 5))
    const fork = await log.step(5, 7, 'fork')
    expect(await witness.addCheckpoint(fork)).toMatchObject({ status: 422 })
    expect(await witness.addCheckpoint(fork)).toMatchObject({ status: 422 })
    expect(await witness.addCheckpoint(await log.step(5, 5, 'fork'))).toMatchObject({
      status: 409,
      contentType: 'text/plain; charset=utf-8',
    })
    const kept = await readdir(join(folder, 'evidence'))
    expect(kept).toHaveLength(2)
    const evidence = await Promise.all(kept.map((name) => readFile(join(folder, 'evidence', name), 'utf8')))
    const forked = evidence.find((text) => text.includes('\n7\n'))
    // Both notes stand in it whole, so that anyone can check them.
    expect(forked).toContain(await log.checkpoint(7, 'fork'))
    expect(forked).toContain(await log.checkpoint(5))
    expect(events.filter(({ event }) => event === 'inconsistent')).toHaveLength(3)
    expect(await witness.addCheckpoint(await log.step(5, 7))).toMatchObject({ status: 200 })
  })

  test('never signs an earlier time than before, even when the clock was set back', async () => {
    const witness = await open()
    await witness.addCheckpoint(await log.step(0, 5))
    clock.seconds -= 3_600
    const { body } = await (await reopen()).addCheckpoint(await log.step(5, 6))
    const [key] = witness.keys
    expect(key && verifyCosignature((await log.checkpoint(6)) + body, key)).toEqual({
      timestampSeconds: clock.seconds + 3_600,
    })
  })

  test('says the same again within a second, without another write, and a newer time after it', async () => {
    const witness = await open()
    const first = await witness.addCheckpoint(await log.step(0, 5))
    expect(await witness.addCheckpoint(await log.step(5, 5))).toEqual(first)
    expect(events.filter(({ event }) => event === 'cosigned')).toHaveLength(1)
    clock.seconds += 1
    const later = await witness.addCheckpoint(await log.step(5, 5))
    const [key] = witness.keys
    expect(key && verifyCosignature((await log.checkpoint(5)) + later.body, key)).toEqual({
      timestampSeconds: clock.seconds,
    })
    // What was given for a smaller tree is not given again once the log has grown.
    await witness.addCheckpoint(await log.step(5, 6))
    expect(await witness.addCheckpoint(await log.step(5, 5))).toMatchObject({ status: 409, body: '6\n' })
  })

  test('keeps its logs apart', async () => {
    const witness = await open()
    await witness.addCheckpoint(await log.step(0, 5))
    expect(await witness.addCheckpoint(await other.step(0, 3))).toMatchObject({ status: 200 })
    expect(await witness.addCheckpoint(await log.step(5, 6))).toMatchObject({ status: 200 })
  })

  test('cosigns one of two histories that arrive at once, never both', async () => {
    const witness = await open()
    await witness.addCheckpoint(await log.step(0, 5))
    const steps = await Promise.all([log.step(5, 7), log.step(5, 7, 'fork'), log.step(5, 8), log.step(5, 6)])
    // The fork leaves the log at 3, so none of its steps follows; of the true ones the first in line is taken.
    const replies = await Promise.all(steps.map((step) => witness.addCheckpoint(step)))
    expect(replies.map(({ status }) => status)).toEqual([200, 409, 409, 409])
  })

  test('answers 503 when more waits than it can do, and recovers', async () => {
    const witness = await open()
    const step = await log.step(0, 5)
    const replies = await Promise.all(Array.from({ length: 60 }, () => witness.addCheckpoint(step)))
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200, 409, 503]))
    expect(await witness.addCheckpoint(await log.step(5, 6))).toMatchObject({ status: 200 })
  })

  test.each([
    ['nonsense', 400],
    ['old 0\n\nother.example/unknown\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— x AAAAAAA=\n', 404],
    ['old 0\n\ncity.example/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— x AAAAAAA=\n', 403],
  ])('refuses %j', async (body, status) => {
    expect(await (await open()).addCheckpoint(body)).toMatchObject({ status })
    expect(await readdir(join(folder, 'logs'))).toEqual([])
  })

  test('answers some status to whatever it is sent', async () => {
    const witness = await open()
    const step = await log.step(0, 5)
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: step.length }), fc.string({ unit: 'binary' }), async (at, junk) => {
        const { status } = await witness.addCheckpoint(step.slice(0, at) + junk)
        expect([200, 400, 403, 404, 409]).toContain(status)
      }),
      { numRuns: 200 },
    )
  })

  test('follows any honest log, and whatever is asked in between, two of its cosigned trees never disagree', async () => {
    const moves = fc.array(fc.tuple(fc.nat({ max: 12 }), fc.nat({ max: 12 }), fc.constantFrom('main', 'fork')), {
      maxLength: 12,
    })
    await fc.assert(
      fc.asyncProperty(moves, async (asked) => {
        const place = await mkdtemp(join(folder, 'run-'))
        const state = await openWitnessState(place)
        const witness = createWitness({
          name: 'w',
          signers: signers.slice(0, 1),
          logs: [log.key],
          state,
          now: () => new Date(0),
        })
        const cosigned: { size: number; branch: string }[] = []
        for (const [oldSize, size, branch] of asked) {
          const { status } = await witness.addCheckpoint(await log.step(oldSize, size, branch))
          if (status === 200) cosigned.push({ size, branch })
        }
        await state.close()
        // Up to where the branches part all is one tree; from there on only one of them may have been cosigned.
        expect(new Set(cosigned.filter(({ size }) => size > 3).map(({ branch }) => branch)).size).toBeLessThanOrEqual(1)
        expect(cosigned.map(({ size }) => size)).toEqual(cosigned.map(({ size }) => size).toSorted((a, b) => a - b))
      }),
      { numRuns: 60 },
    )
  })

  test('serves a policy of its two keys', async () => {
    const witness = await open()
    const [ed, pq] = witness.keys.map(formatCosignerKey)
    const policy = parseTrustPolicy(
      `log ${formatVerifierKey(log.key)}\nwitness w ${ed}\nwitness w-pq ${pq}\ngroup both all w w-pq\nquorum both\n`,
    )
    const { body } = await witness.addCheckpoint(await log.step(0, 5))
    expect(verifyWithPolicy((await log.checkpoint(5)) + body, policy).cosignedBy.map(({ name }) => name)).toEqual([
      'w',
      'w-pq',
    ])
  })
})

describe('the state of a witness', () => {
  test('belongs to one witness at a time', async () => {
    await open()
    await expect(openWitnessState(folder)).rejects.toMatchObject({ code: 'already-running' })
  })

  test('outlives a restart', async () => {
    await (await open()).addCheckpoint(await log.step(0, 5))
    expect(await (await reopen()).addCheckpoint(await log.step(5, 7, 'fork'))).toMatchObject({ status: 422 })
  })

  test('damaged by any byte keeps the witness from starting, and one that runs from cosigning', async () => {
    const witness = await open()
    await witness.addCheckpoint(await log.step(0, 5))
    const whole = await readFile(recordFile(log), 'utf8')
    for (const text of [
      '',
      whole.slice(0, -1),
      `${whole}\n`,
      whole.replace('\n5\n', '\n4\n'),
      whole.replace('time 1', 'time 0'),
    ]) {
      expect(text).not.toBe(whole)
      await writeFile(recordFile(log), text)
      expect(await witness.addCheckpoint(await log.step(5, 6))).toMatchObject({ status: 500 })
      expect(events.at(-1)).toMatchObject({ event: 'failed', error: { code: 'witness-state-damaged' } })
      for (const state of states.splice(0)) await state.close()
      await expect(openWitnessState(folder)).rejects.toMatchObject({ code: 'witness-state-damaged' })
      // A refused start lets go of the lock.
      await expect(openWitnessState(folder)).rejects.toMatchObject({ code: 'witness-state-damaged' })
    }
    await writeFile(recordFile(log), whole)
    expect(await (await open()).addCheckpoint(await log.step(5, 6))).toMatchObject({ status: 200 })
  })

  test('taken away or set back while the witness runs keeps it from cosigning', async () => {
    const witness = await open()
    await witness.addCheckpoint(await log.step(0, 5))
    const older = await readFile(recordFile(log), 'utf8')
    await witness.addCheckpoint(await log.step(5, 7))
    await writeFile(recordFile(log), older)
    expect(await witness.addCheckpoint(await log.step(5, 6))).toMatchObject({ status: 500 })
    await rm(recordFile(log))
    expect(await witness.addCheckpoint(await log.step(0, 7, 'fork'))).toMatchObject({ status: 500 })
    expect(events.at(-1)).toMatchObject({ event: 'failed', error: { code: 'witness-state-damaged' } })
  })

  test('of one log put in the place of another is damage', async () => {
    await (await open()).addCheckpoint(await log.step(0, 5))
    await writeFile(recordFile(other), await readFile(recordFile(log), 'utf8'))
    await expect(reopen()).rejects.toMatchObject({ code: 'witness-state-damaged' })
  })

  test('is readable by its own user only', async () => {
    await (await open()).addCheckpoint(await log.step(0, 5))
    expect((await stat(recordFile(log))).mode & 0o077).toBe(0)
  })

  test('keeps so much evidence and no more, and says so', async () => {
    const full: StateFiles = {
      ...diskFiles,
      list: async (place) =>
        place.endsWith('evidence') ? Array.from({ length: 1_000 }, String) : diskFiles.list(place),
    }
    const witness = await open(full)
    await witness.addCheckpoint(await log.step(0, 5))
    expect(await witness.addCheckpoint(await log.step(5, 7, 'fork'))).toMatchObject({ status: 422 })
    expect(events.map(({ event }) => event)).toEqual(['cosigned', 'inconsistent', 'evidence-full'])
  })
})

/** Each write of a save, once as if it had not happened, once as if only its answer was lost. */
const writes = ['writeFlushed', 'rename', 'flushFolder'] as const
const faults = writes.flatMap((write) => [
  { write, persisted: false, title: `${write} failed` },
  { write, persisted: true, title: `${write} failed but persisted` },
])

describe.each(faults)('when $title', ({ write, persisted }) => {
  /** Breaks the given write from the second save on. */
  function broken(): StateFiles & { whole: boolean } {
    const breaking = { ...diskFiles, whole: true }
    const real = diskFiles[write] as (...args: unknown[]) => Promise<void>
    breaking[write] = async (...args: unknown[]) => {
      if (breaking.whole || persisted) await real(...args)
      if (!breaking.whole) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
    }
    return breaking
  }

  test('no cosignature is given away, no fork is cosigned, and the log goes on after a restart', async () => {
    const files = broken()
    const witness = await open(files)
    await witness.addCheckpoint(await log.step(0, 5))
    files.whole = false
    const failed = await witness.addCheckpoint(await log.step(5, 7))
    expect(failed).toMatchObject({ status: 500 })
    expect(failed.body).not.toContain('—')
    expect(events.at(-1)).toMatchObject({ event: 'failed', error: { code: 'ENOSPC' } })

    const again = await reopen()
    expect(await again.addCheckpoint(await log.step(5, 5, 'fork'))).toMatchObject({ status: 409 })
    expect(await again.addCheckpoint(await log.step(5, 8, 'fork'))).not.toMatchObject({ status: 200 })
    expect(await again.addCheckpoint(await log.step(7, 8, 'fork'))).not.toMatchObject({ status: 200 })
    await followsOn(again)
  })

  test('the same process goes on with what the disk has', async () => {
    const files = broken()
    const witness = await open(files)
    await witness.addCheckpoint(await log.step(0, 5))
    files.whole = false
    await witness.addCheckpoint(await log.step(5, 7))
    files.whole = true
    expect(await witness.addCheckpoint(await log.step(7, 8, 'fork'))).not.toMatchObject({ status: 200 })
    await followsOn(witness)
  })

  /** As a log does that heard nothing: it asks from the size it knows, and takes the witness's word for another. */
  async function followsOn(witness: Witness): Promise<void> {
    const first = await witness.addCheckpoint(await log.step(5, 7))
    if (first.status === 200) return
    expect(first).toMatchObject({ status: 409, contentType: 'text/x.tlog.size', body: '7\n' })
    const second = await witness.addCheckpoint(await log.step(7, 7))
    expect(second.status).toBe(200)
    expect((await witness.latest(log.origin))?.checkpoint.size).toBe(7)
  }
})

import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { concat, sha256, toBase64, toHex, utf8 } from '@tillit/codec'
import { mlDsa44SignerFromSeed, type Signer, signerFromSeed } from '@tillit/keys'
import {
  cosignerKey,
  formatVerifierKey,
  leafHash,
  nodeHash,
  parseCosignerKey,
  parseNote,
  signCheckpoint,
  verifierKey,
  verifyCheckpoint,
  verifyCosignature,
} from '@tillit/log'
import { createWitness, httpWitnessPeer, openWitnessState, serveWitness } from '@tillit/witness'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type SmallLog, smallLog } from '../../packages/witness/src/small-log.fixture.ts'
import { eventually } from '../faults/eventually.ts'
import { freePort } from '../journeys/free-port.ts'

/** Sigsum's tools of Debian's package sigsum-go (bookworm-backports): written by others, from the same specifications. */
const tools = ['sigsum-witness', 'sigsum-key', 'sigsum-verify']
const missing = tools.filter((tool) => !isInstalled(tool))
if (missing.length > 0)
  console.warn(
    `NOT RUN: interoperation with Sigsum's witness, because ${missing.join(', ')} cannot be found. ` +
      'On Debian: apt install -t bookworm-backports sigsum-go',
  )

/** Its witness was built for an older Go whose router takes its paths as they are written. */
const environment = { ...process.env, GODEBUG: 'httpmuxgo121=0' }

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tillit-sigsum-'))
})
afterAll(() => rm(folder, { recursive: true }))

describe.skipIf(missing.length > 0)('the witness of Sigsum and our log', () => {
  let log: SmallLog
  let sigsumWitness: ChildProcess
  let url: string

  beforeAll(async () => {
    log = await sigsumLog(1, 5)
    await writeFile(join(folder, 'log.pub'), openSshKey(log.signer))
    execFileSync('sigsum-key', ['generate', '-o', join(folder, 'witness')])
    const port = await freePort()
    url = `http://127.0.0.1:${port}`
    const files = ['-k', join(folder, 'witness'), '--log-key', join(folder, 'log.pub')]
    sigsumWitness = spawn('sigsum-witness', [...files, '--state-file', join(folder, 'state'), `127.0.0.1:${port}`], {
      env: environment,
      stdio: 'ignore',
    })
    await eventually(() => fetch(url))
  })
  afterAll(async () => {
    const ended = once(sigsumWitness, 'exit')
    sigsumWitness.kill()
    await ended
  })

  const peer = () => httpWitnessPeer({ url, timeoutMilliseconds: 10_000 })

  /** The witness signs under a name of its own choice; its key is the one in the file. */
  function keyOfTheWitness(body: string) {
    const [name = ''] = parseNote(`text\n\n${body}`).signatures.map((signature) => signature.name)
    return parseCosignerKey(toVkey('witness.pub', '-t', 'cosignature/v1', '-n', name))
  }

  test('its tool writes the vkey of our log as we do', () => {
    expect(toVkey('log.pub')).toBe(formatVerifierKey(log.key))
  })

  test('it cosigns what our log signs, step by step, and we verify its cosignatures', async () => {
    for (const [oldSize, size] of [
      [0, 3],
      [3, 7],
      [7, 7],
      [7, 8],
      [8, 13],
    ] as const) {
      const { status, body } = await peer().addCheckpoint(await log.step(oldSize, size))
      expect(status, body).toBe(200)
      const note = (await log.checkpoint(size)) + body
      const key = keyOfTheWitness(body)
      expect(verifyCosignature(note, key)?.timestampSeconds).toBeGreaterThan(1_700_000_000)
      expect(verifyCheckpoint(note, log.key).size).toBe(size)
      // The same line under another tree is refused: what was verified is this tree.
      const other = (await log.checkpoint(size + 1)) + body
      expect(() => verifyCosignature(other, key)).toThrow('is wrong')
    }
  })

  test('it tells the size that it cosigned, as ours does', async () => {
    expect(await peer().addCheckpoint(await log.step(0, 15))).toMatchObject({ status: 409, body: '13\n' })
    expect(await peer().addCheckpoint(await log.step(12, 15))).toMatchObject({ status: 409, body: '13\n' })
  })

  test('it refuses a fork with 422, another key with 403, another origin with 404, nonsense with 400', async () => {
    expect(await peer().addCheckpoint(await log.step(13, 15, 'fork'))).toMatchObject({ status: 422 })
    const stranger = await smallLog({ origin: log.origin, seed: 9 })
    expect(await peer().addCheckpoint(await stranger.step(13, 15))).toMatchObject({ status: 403 })
    expect(await peer().addCheckpoint(await (await sigsumLog(9)).step(13, 15))).toMatchObject({ status: 404 })
    expect(await peer().addCheckpoint('nonsense')).toMatchObject({ status: 400 })
    // And goes on with the true log.
    expect(await peer().addCheckpoint(await log.step(13, 15))).toMatchObject({ status: 200 })
  })
})

describe.skipIf(missing.length > 0)('our witness and the verifier of Sigsum', () => {
  test('it accepts an entry of a log whose checkpoint our witness cosigned, and no other', async () => {
    const log = await sigsumLog(1)
    const submitter = await signerFromSeed(new Uint8Array(32).fill(3))
    const signer = await signerFromSeed(new Uint8Array(32).fill(7))
    const leaves = await Promise.all(['a reading', 'another reading'].map((text) => sigsumLeaf(text, submitter)))
    const [first, second] = leaves.map(({ bytes }) => leafHash(bytes))
    if (first === undefined || second === undefined) throw new Error('two leaves make a tree')
    const root = nodeHash(first, second)
    const note = await signCheckpoint({ origin: log.origin, size: 2, root }, log.signer)

    const { body } = await askOurWitness(log, signer, `old 0\n\n${note}`)
    const key = cosignerKey('witness.example/w1', signer.publicKey)
    const cosigned = verifyCosignature(note + body, key)
    expect(cosigned).not.toBe(null)

    const [logSignature] = parseNote(note).signatures
    const [cosignature] = parseNote(`text\n\n${body}`).signatures
    const keyHash = (of: Signer) => toHex(sha256(of.publicKey.bytes))
    const proof = (timestampSeconds: number) =>
      [
        'version=2',
        `log=${keyHash(log.signer)}`,
        `leaf=${keyHash(submitter)} ${toHex(leaves[1]?.signature ?? new Uint8Array())}`,
        '',
        'size=2',
        `root_hash=${toHex(root)}`,
        `signature=${toHex(logSignature?.signature ?? new Uint8Array())}`,
        // The line of the note is time and signature; Sigsum writes them apart.
        `cosignature=${keyHash(signer)} ${timestampSeconds} ${toHex(cosignature?.signature.slice(8) ?? new Uint8Array())}`,
        '',
        'leaf_index=1',
        `node_hash=${toHex(first)}`,
        '',
      ].join('\n')
    await writeFile(join(folder, 'submitter.pub'), openSshKey(submitter))
    // Its policies are older than C2SP tlog-policy: the same lines, but with bare keys.
    await writeFile(
      join(folder, 'policy'),
      `log ${toHex(log.signer.publicKey.bytes)}\nwitness ours ${toHex(signer.publicKey.bytes)}\nquorum ours\n`,
    )
    const time = cosigned?.timestampSeconds ?? 0
    expect(await sigsumVerify(proof(time), 'another reading')).toMatchObject({ status: 0 })
    expect(await sigsumVerify(proof(time), 'a reading')).toMatchObject({ status: 1 })
    const moved = await sigsumVerify(proof(time + 1), 'another reading')
    expect(moved).toMatchObject({ status: 1, err: expect.stringContaining('cosignature') })
  })
})

function isInstalled(tool: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((place) => {
    try {
      accessSync(join(place, tool), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** A log as Sigsum names it: its origin is derived from its key. */
async function sigsumLog(seed: number, forkedAt = 0): Promise<SmallLog> {
  const { publicKey } = await signerFromSeed(new Uint8Array(32).fill(seed))
  const log = await smallLog({ origin: `sigsum.org/v1/tree/${toHex(sha256(publicKey.bytes))}`, seed, forkedAt })
  return { ...log, key: verifierKey(log.origin, publicKey) }
}

/** A line of `authorized_keys` (RFC 8709 section 4). */
function openSshKey({ publicKey }: Signer): string {
  const field = (bytes: Uint8Array) => concat(Uint8Array.of(0, 0, 0, bytes.length), bytes)
  return `ssh-ed25519 ${toBase64(concat(field(utf8('ssh-ed25519')), field(publicKey.bytes)))} test\n`
}

function toVkey(file: string, ...args: string[]): string {
  return execFileSync('sigsum-key', ['to-vkey', '-k', join(folder, file), ...args], { encoding: 'utf8' }).trim()
}

/** A leaf of a Sigsum log: checksum, the submitter's signature over it, the hash of the submitter's key. */
async function sigsumLeaf(text: string, submitter: Signer): Promise<{ bytes: Uint8Array; signature: Uint8Array }> {
  const checksum = sha256(sha256(utf8(text)))
  const signature = await submitter.sign(concat(utf8('sigsum.org/v1/tree-leaf\0'), checksum))
  return { bytes: concat(checksum, signature, sha256(submitter.publicKey.bytes)), signature }
}

async function askOurWitness(log: SmallLog, signer: Signer, body: string) {
  const state = await openWitnessState(join(folder, 'ours'))
  const signers = [signer, await mlDsa44SignerFromSeed(new Uint8Array(32).fill(8))]
  const witness = createWitness({ name: 'witness.example/w1', signers, logs: [log.key], state, now: () => new Date() })
  const served = await serveWitness(witness, { host: '127.0.0.1', port: 0 })
  try {
    return await httpWitnessPeer({ url: served.url, timeoutMilliseconds: 10_000 }).addCheckpoint(body)
  } finally {
    await served.close()
    await state.close()
  }
}

async function sigsumVerify(proof: string, text: string): Promise<{ status: number; err: string }> {
  const file = join(folder, 'proof')
  await writeFile(file, proof)
  const args = ['-k', join(folder, 'submitter.pub'), '-p', join(folder, 'policy'), file]
  return new Promise((resolve) => {
    const child = execFile('sigsum-verify', args, (error, _out, err) => {
      resolve({ status: error === null ? 0 : Number(error.code), err })
    })
    child.stdin?.end(text)
  })
}

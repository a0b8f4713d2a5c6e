import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, request, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { signerFromSeed } from '@tillit/keys'
import { formatCosignerKey } from '@tillit/log'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { httpWitnessPeer } from './http-witness-peer.ts'
import { type ServedWitness, serveWitness } from './serve-witness.ts'
import { smallLog } from './small-log.fixture.ts'
import { createWitness, type Witness } from './witness.ts'
import { originHash } from './witness-record.ts'
import { openWitnessState, type WitnessState } from './witness-state.ts'

const log = await smallLog({ forkedAt: 3 })
const recordHash = originHash(log.origin)
let folder: string
let state: WitnessState
let witness: Witness
let served: ServedWitness
const errors: unknown[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tillit-witness-'))
  state = await openWitnessState(folder)
  witness = createWitness({
    name: 'witness.example/w1',
    signers: [await signerFromSeed(new Uint8Array(32).fill(7))],
    logs: [log.key],
    state,
    now: () => new Date(1_790_000_000_000),
  })
  served = await serveWitness(witness, { host: '127.0.0.1', port: 0, report: (error) => errors.push(error) })
})
afterAll(async () => {
  await served.close()
  await state.close()
  await rm(folder, { recursive: true })
})

describe('a served witness', () => {
  test('answers add-checkpoint as the witness itself, through its peer', async () => {
    const peer = httpWitnessPeer({ url: `${served.url}/`, timeoutMilliseconds: 5_000 })
    expect(await peer.addCheckpoint(await log.step(0, 5))).toMatchObject({ status: 200 })
    expect(await peer.addCheckpoint(await log.step(0, 6))).toEqual({
      status: 409,
      contentType: 'text/x.tlog.size',
      body: '5\n',
    })
    expect(await peer.addCheckpoint(await log.step(5, 6, 'fork'))).toMatchObject({ status: 422 })
    expect(await peer.addCheckpoint('nonsense')).toMatchObject({ status: 400 })
  })

  test('shows monitors who it is, and its latest cosigned checkpoint of each log', async () => {
    const shown = await fetch(served.url).then((reply) => reply.json())
    expect(shown).toEqual({
      name: 'witness.example/w1',
      keys: witness.keys.map(formatCosignerKey),
      logs: [
        {
          origin: log.origin,
          checkpoint: `/checkpoints/${recordHash}`,
          size: 5,
          cosigned_at: '2026-09-21T14:13:20.000Z',
        },
      ],
    })
    const reply = await fetch(`${served.url}/checkpoints/${recordHash}`)
    expect(await reply.text()).toBe((await witness.latest(log.origin))?.note)
    expect(reply.headers.get('cache-control')).toBe('no-store')
  })

  test.each([
    ['GET', '/add-checkpoint', 405],
    ['POST', '/', 405],
    ['DELETE', '/health', 405],
    ['GET', '/checkpoints/00', 404],
    ['GET', '/checkpoints/../../../etc/passwd', 404],
    ['GET', '/elsewhere', 404],
    ['GET', '/health', 200],
    ['HEAD', '/health', 200],
  ])('answers %s %s with %i', async (method, path, status) => {
    const reply = await fetch(served.url + path, { method })
    expect(reply.status).toBe(status)
    expect(reply.headers.has('allow')).toBe(status === 405)
  })

  test('takes bodies up to its limit only', async () => {
    const post = (body: string | Uint8Array<ArrayBuffer>) =>
      fetch(`${served.url}/add-checkpoint`, { method: 'POST', body })
    expect((await post('x'.repeat(128_001))).status).toBe(413)
    expect((await post('x'.repeat(128_000))).status).toBe(400)
    expect((await post(Uint8Array.of(0xff, 0xfe))).status).toBe(400)
    // A byte order mark is not skipped: the body would not be the one that was hashed and signed.
    expect((await post(`\ufeff${await log.step(5, 6)}`)).status).toBe(400)
  })

  test('refuses headers that are too long', async () => {
    const status = await new Promise((resolve, fail) => {
      const asked = request(`${served.url}/health`, { headers: { padding: 'x'.repeat(10_000) } })
      asked.on('response', (reply) => resolve(reply.statusCode)).on('error', fail)
      asked.end()
    })
    expect(status).toBe(431)
  })

  test('is not disturbed by clients that leave in the middle', async () => {
    const { port } = new URL(served.url)
    await new Promise<void>((done, fail) => {
      const socket = connect({ host: '127.0.0.1', port: Number(port) }, () => {
        socket.write('POST /add-checkpoint HTTP/1.1\r\nhost: w\r\ncontent-length: 1000\r\n\r\nold 0', () =>
          socket.destroy(),
        )
      })
      socket.on('close', () => done()).on('error', fail)
    })
    expect((await fetch(`${served.url}/health`)).status).toBe(200)
    expect(errors).toEqual([])
  })

  test('says that it is not well when its state cannot be read', async () => {
    const file = join(folder, 'logs', recordHash)
    const whole = await readFile(file, 'utf8')
    await writeFile(file, whole.slice(1))
    for (const path of ['/', '/health', `/checkpoints/${recordHash}`])
      expect((await fetch(served.url + path)).status).toBe(503)
    await writeFile(file, whole)
    expect((await fetch(`${served.url}/health`)).status).toBe(200)
  })
})

describe('asked over HTTP, a witness', () => {
  const listening: Server[] = []
  afterAll(() => {
    for (const server of listening) {
      server.closeAllConnections()
      server.close()
    }
  })

  async function answering(answer: Parameters<typeof createServer>[1], options: { timeoutMilliseconds?: number } = {}) {
    const server = createServer(answer)
    listening.push(server)
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    return httpWitnessPeer({ url, timeoutMilliseconds: options.timeoutMilliseconds ?? 5_000 })
  }

  test('that sends us elsewhere is not followed', async () => {
    const peer = await answering((_, reply) => reply.writeHead(307, { location: served.url }).end())
    await expect(peer.addCheckpoint('x')).rejects.toMatchObject({ code: 'witness-unavailable' })
  })

  test('that answers without end is cut off', async () => {
    const peer = await answering((_, reply) => {
      reply.on('error', () => undefined)
      const more = () => {
        if (!reply.destroyed) reply.write('x'.repeat(10_000), more)
      }
      more()
    })
    await expect(peer.addCheckpoint('x')).rejects.toMatchObject({ code: 'witness-unavailable' })
  })

  test('that answers with broken text is refused', async () => {
    const peer = await answering((_, reply) => reply.end(Uint8Array.of(0xff)))
    await expect(peer.addCheckpoint('x')).rejects.toMatchObject({ code: 'witness-unavailable' })
  })

  test.each([
    ['nothing', () => undefined],
    ['half an answer', (reply: { write(text: string): void }) => reply.write('half')],
  ])('that says %s is given up in time', async (_title, begin) => {
    const peer = await answering((_, reply) => void begin(reply), { timeoutMilliseconds: 50 })
    await expect(peer.addCheckpoint('x')).rejects.toMatchObject({ code: 'witness-unavailable' })
  })

  test('can be called off', async () => {
    const stop = new AbortController()
    const peer = await answering(() => stop.abort(new Error('enough')))
    await expect(peer.addCheckpoint('x', stop.signal)).rejects.toThrow('enough')
  })

  test('that is not there is unavailable', async () => {
    const peer = httpWitnessPeer({ url: 'http://127.0.0.1:1', timeoutMilliseconds: 5_000 })
    await expect(peer.addCheckpoint('x')).rejects.toMatchObject({ code: 'witness-unavailable' })
  })

  test.each(['', 'witness.example', 'ftp://witness.example', 'file:///etc/passwd', 'https://w.example/?q=1'])(
    'has an address of HTTP, not %j',
    (url) => {
      expect(() => httpWitnessPeer({ url, timeoutMilliseconds: 1 })).toThrow('is not the address of a witness')
    },
  )
})

import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { signerFromSeed } from '@tillit/keys'
import { cosignCheckpoint, parseNote } from '@tillit/log'
import { httpWitnessPeer } from '@tillit/witness'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { logOrigin } from '../../services/registry/src/witness.fixture.ts'
import { eventually } from './eventually.ts'
import { type Answer, type LyingWitness, serveLies } from './lying-witness.ts'
import { openRegistryInUse, type RegistryInUse } from './registry-in-use.ts'
import type { RegistrySite } from './registry-site.ts'

/** Shorter than the registry's own patience. */
const timeoutMilliseconds = 1_000

let inUse: RegistryInUse
let site: RegistrySite
let liar: LyingWitness
beforeAll(async () => {
  inUse = await openRegistryInUse()
  site = inUse.site
  liar = await serveLies()
})
afterAll(async () => {
  await inUse.close()
  liar.close()
})

/** The log takes and signs everything and says what is wrong; whatever is wrong, nothing new is published. */
async function expectWaiting(words: string): Promise<void> {
  const published = site.observer.largestSize
  for (let round = 1; round <= 2; round++) {
    await inUse.work()
    await eventually(async () => {
      const status = await inUse.running.registry.status()
      expect(status).toMatchObject({ sequencing_fault: null, fault: null })
      expect(status.publishing_fault).toContain(words)
      expect(status.signed_size).toBeGreaterThan(published)
      expect(status.latest_checkpoint?.size).toBe(published)
    })
  }
}

const seed = new Uint8Array(32).fill(5)
const [own, stranger] = [await signerFromSeed(seed), await signerFromSeed(seed.map((byte) => byte + 1))]
const sign = (text: string, signer = own) =>
  cosignCheckpoint(text, { name: 'witness.example', signer, timestampSeconds: 1_700_000_000 })
const textOf = (body: string) => parseNote(body.slice(body.indexOf('\n\n') + 2)).text

function reply(status: number, body: string, type = 'text/plain'): Answer {
  return (_, response) => void response.writeHead(status, { 'content-type': type }).end(body)
}

const lies: readonly (readonly [string, Answer, string])[] = [
  ['refuses the connection', (_, response) => void response.destroy(), 'did not answer'],
  ['answers nothing at all', () => undefined, 'did not answer'],
  [
    'answers a byte now and then',
    (_, response) => {
      const drip = setInterval(() => response.write('x'), 200)
      response.on('close', () => clearInterval(drip))
    },
    'did not answer',
  ],
  ['never ends its answer', (_, response) => void Readable.from(endless()).pipe(response), 'too long'],
  [
    'breaks off its answer',
    (_, response) => void response.writeHead(200, { 'content-length': 500 }).end('— w'),
    'answer',
  ],
  ['answers rubbish', reply(200, 'hello\n'), 'does not verify'],
  ['answers no text', (_, response) => void response.end(Buffer.from([0xff, 0xfe, 0x00])), 'did not answer'],
  [
    'cosigns another checkpoint',
    (_, response) =>
      void sign(`${logOrigin}\n4\n${Buffer.alloc(32).toString('base64')}\n`).then((line) => response.end(line)),
    'does not verify',
  ],
  [
    'cosigns with a key of its own choice',
    ({ body }, response) => void sign(textOf(body), stranger).then((line) => response.end(line)),
    'does not name',
  ],
  [
    'cosigns with one of its two keys only',
    ({ body }, response) => void sign(textOf(body)).then((line) => response.end(line)),
    'did not cosign as',
  ],
  ['claims to have cosigned more', reply(409, '1000000\n', 'text/x.tlog.size'), 'more than the log has signed'],
  ['claims to have cosigned another tree', reply(409, '0\n', 'text/x.tlog.size'), 'size'],
  ['sends the registry elsewhere', redirect, 'did not answer'],
  ['is out of order', reply(503, 'later'), 'answered 503'],
]

function* endless(): Generator<string> {
  for (;;) yield 'x'.repeat(10_000)
}

function redirect({ url }: { url: string }, response: Parameters<Answer>[1]): void {
  if (url.endsWith('/elsewhere')) response.end('hello\n')
  else response.writeHead(307, { location: '/elsewhere' }).end()
}

describe('while the witness', () => {
  test.each(lies)('%s, the log goes on and publishes nothing; then everything', async (_what, answer, words) => {
    liar.answer = answer
    site.witnessPeer = httpWitnessPeer({ url: liar.url, timeoutMilliseconds })
    const before = liar.asked
    await expectWaiting(words)
    expect(liar.asked).toBeGreaterThan(before)
    site.witnessPeer = site.witness
    await inUse.expectWhole()
  })
})

describe('a witness whose memory was put back to an older one', () => {
  const records = () => join(site.witness.folder, 'logs')
  const backup = () => join(site.witness.folder, '..', 'backup')

  test('says which size it knows, and is led from there to the newest', async () => {
    await cp(records(), backup(), { recursive: true })
    const then = await site.witness.size(logOrigin)
    await inUse.work()
    await inUse.expectWhole()
    await cp(backup(), records(), { recursive: true })
    await site.witness.restart()
    expect(await site.witness.size(logOrigin)).toBe(then)
    await inUse.work()
    await inUse.expectWhole()
    expect(await site.witness.size(logOrigin)).toBe(site.observer.largestSize)
  })

  test('while it runs notices that, cosigns nothing until it is started again, and nothing is published meanwhile', async () => {
    await cp(backup(), records(), { recursive: true })
    await expectWaiting('answered 500')
    expect(site.witness.events.filter(({ event }) => event === 'failed')).not.toEqual([])
    await site.witness.restart()
    await inUse.expectWhole()
  })
})

test('through all of this the witness saw one log', () => {
  expect(site.witness.events.filter(({ event }) => event === 'inconsistent')).toEqual([])
})

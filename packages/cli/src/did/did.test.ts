import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type DidState,
  formatDidLog,
  formatDidWitnessFile,
  nextDidState,
  parseDidLog,
  witnessEntry,
} from '@tillit/client'
import { signerFromJwk, signerFromSeed, toMultikey } from '@tillit/keys'
import { isProblem } from '@tillit/problem'
import type { DidLogEntry } from '@tillit/schemas'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { UsageError } from '../usage-error.ts'
import { did } from './did.ts'
import type { DidKeyFile } from './key-file.ts'

let folder: string
let printed: string[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tillit-did-'))
  printed = []
  vi.spyOn(console, 'log').mockImplementation((line: string) => void printed.push(line))
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
})
afterEach(async () => {
  vi.restoreAllMocks()
  await rm(folder, { recursive: true })
})

const place = 'city.example/dids/me'
const files = () => ['--key', join(folder, 'key.json'), '--log', join(folder, 'did.jsonl')]
const tillit = (verb: string, ...args: string[]) => did([verb, ...args, ...files()])
const logText = () => readFile(join(folder, 'did.jsonl'), 'utf8')
const keys = async () => JSON.parse(await readFile(join(folder, 'key.json'), 'utf8')) as DidKeyFile

async function state(): Promise<DidState> {
  let last: DidState | null = null
  for (const entry of parseDidLog(await logText())) last = nextDidState({ state: last, entry, now: new Date() })
  if (last === null) throw new Error('the log is empty')
  return last
}

/** The document's only key is the one that the key file signs with. */
async function expectKeyInDocument(): Promise<void> {
  const { key_id, private_jwk, did: name } = await keys()
  const { document } = await state()
  const multikey = toMultikey((await signerFromJwk(private_jwk)).publicKey)
  expect(name).toBe(document.id)
  expect(document.verificationMethod).toMatchObject([{ id: key_id, publicKeyMultibase: multikey }])
}

describe('a DID in files', () => {
  test('is made offline, its keys for the eyes of its owner only', async () => {
    expect(await tillit('create', place, '--service', 'api=Api=https://me.example/?a=b', '--ttl', '60')).toBe(0)
    expect(await state()).toMatchObject({ versionNumber: 1, ttlSeconds: 60, portable: false, nextKeyHashes: [] })
    expect(printed.at(-1)).toBe((await state()).did)
    expect((await state()).document.service).toEqual([
      { id: `${(await state()).did}#api`, type: 'Api', serviceEndpoint: 'https://me.example/?a=b' },
    ])
    for (const name of ['key.json', 'did.jsonl'])
      expect((await stat(join(folder, name))).mode & 0o777, name).toBe(0o600)
    await expectKeyInDocument()
  })

  test('is made once, however often it is asked for', async () => {
    await tillit('create', place)
    const before = [await logText(), await keys()]
    await tillit('create', place)
    expect([await logText(), await keys()]).toEqual(before)
    await rm(join(folder, 'did.jsonl'))
    await expect(tillit('create', place)).rejects.toThrow('is there already, and its DID')
  })

  test('changes what is named and keeps the rest', async () => {
    const [one, two] = await Promise.all([31, 32].map((seed) => signerFromSeed(new Uint8Array(32).fill(seed))))
    const witnesses = [one, two].flatMap((signer) => (signer ? [`did:key:${toMultikey(signer.publicKey)}`] : []))
    await tillit('create', place, '--portable', '--service', 'api=Api=https://me.example/')
    await tillit(
      'update',
      ...witnesses.flatMap((id) => ['--witness', id]),
      '--threshold',
      '1',
      '--watcher',
      'https://w.example/',
    )
    expect(await state()).toMatchObject({
      versionNumber: 2,
      portable: true,
      witness: { threshold: 1, witnesses: witnesses.map((id) => ({ id })) },
      watchers: ['https://w.example/'],
    })
    await tillit('update', '--no-witness', '--no-watcher', '--not-portable')
    expect(await state()).toMatchObject({ versionNumber: 3, portable: false, witness: null, watchers: [] })
    expect((await state()).document.service).toHaveLength(1)
    await expectKeyInDocument()
  })

  test.each([[[]], [['--pre-rotate']]])('rotates its key again and again, made with %o', async (options) => {
    await tillit('create', place, ...options)
    const ids = new Set([(await keys()).key_id])
    for (let round = 0; round < 3; round++) {
      await tillit('rotate')
      ids.add((await keys()).key_id)
      await expectKeyInDocument()
    }
    expect(ids.size).toBe(4)
    expect((await state()).nextKeyHashes).toHaveLength(options.length)
    await tillit('update', '--ttl', '5')
    expect(await state()).toMatchObject({ versionNumber: 5, ttlSeconds: 5 })
  })

  test('begins and ends pre-rotation, moves, and is deactivated', async () => {
    await tillit('create', place, '--portable')
    const first = (await state()).did
    await tillit('rotate', '--pre-rotate')
    expect((await state()).nextKeyHashes).toHaveLength(1)
    await tillit('move', 'town.example:8443/people/me')
    expect((await state()).did).toBe(first.replace('city.example:dids:me', 'town.example%3A8443:people:me'))
    expect((await state()).document.alsoKnownAs).toEqual([first])
    await tillit('rotate', '--no-pre-rotate')
    expect((await state()).nextKeyHashes).toEqual([])
    await expectKeyInDocument()
    await tillit('deactivate')
    expect(await state()).toMatchObject({ deactivated: true, versionNumber: 5 })
    await expect(tillit('update', '--ttl', '5')).rejects.toThrow()
  })

  test('that is not portable does not move', async () => {
    await tillit('create', place)
    await expect(tillit('move', 'town.example')).rejects.toThrow('not portable')
    expect((await state()).versionNumber).toBe(1)
  })

  test('resolves from its files alone, with the proofs of its witnesses', async () => {
    const witness = await signerFromSeed(new Uint8Array(32).fill(33))
    await tillit('create', place, '--witness', `did:key:${toMultikey(witness.publicKey)}`)
    const { did: name, versionId } = await state()
    const log = ['--log', join(folder, 'did.jsonl')]
    expect(await did(['resolve', name, ...log])).toBe(1)
    const file = join(folder, 'did-witness.json')
    await writeFile(file, formatDidWitnessFile([await witnessEntry(versionId, witness, new Date())]))
    expect(await did([name, ...log, '--witness-file', file])).toBe(0)
    expect(JSON.parse(printed.at(-1) ?? '')).toMatchObject({ didDocument: { id: name } })
  })

  test.each([
    ['create', []],
    ['create', ['a b']],
    ['create', ['city.example//me']],
    ['create', [place, '--service', 'api']],
    ['create', [place, '--watcher', 'ftp://w.example/']],
    ['create', [place, '--ttl', '-1']],
    ['update', []],
    ['rotate', ['--pre-rotate', '--no-pre-rotate']],
    ['move', []],
    ['conjure', []],
  ])('called as %s %o, says how it is called', async (verb, args) => {
    const error = await did([verb, ...args, ...files()]).catch((thrown: unknown) => thrown)
    expect(error instanceof UsageError || isProblem(error, 'invalid-did') || isParseError(error)).toBe(true)
  })
})

function isParseError(error: unknown): boolean {
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
}

describe('a city', () => {
  let city: { url: string; entries: DidLogEntry[]; refuse: boolean; server: Server }

  beforeEach(async () => {
    city = await startCity()
  })
  afterEach(() => new Promise((resolve) => city.server.close(resolve)))

  test('is sent each entry once', async () => {
    await tillit('create', place, '--register', city.url, '--listed')
    await tillit('rotate', '--register', city.url)
    await tillit('create', place, '--register', city.url)
    expect(formatDidLog(city.entries)).toBe(await logText())
    expect(city.entries).toHaveLength(2)
  })

  test('gives what a receipt of each entry is made of, and the entry is in it', async () => {
    await tillit('create', place, '--register', city.url)
    const [receipt = '{}', name] = printed
    expect(name).toBe((await state()).did)
    expect(JSON.parse(receipt)).toEqual({
      ...{ type: 'tillit-receipt/v1', city: city.url, leaf: null },
      opening: { kind: 'did', salt: 'AA', commitment: '00', entry: city.entries[0] },
    })
  })

  test('that could not be reached is sent what it does not have, before anything new is made', async () => {
    await tillit('create', place, '--register', city.url)
    city.refuse = true
    await expect(tillit('update', '--ttl', '5', '--register', city.url)).rejects.toThrow()
    expect((await state()).versionNumber).toBe(2)
    city.refuse = false
    await tillit('update', '--ttl', '5', '--register', city.url)
    expect(city.entries).toHaveLength(2)
    expect((await state()).versionNumber).toBe(2)
    await tillit('update', '--ttl', '6', '--register', city.url)
    expect(formatDidLog(city.entries)).toBe(await logText())
  })

  test('that has another log is told nothing', async () => {
    await tillit('create', place, '--register', city.url)
    await rm(join(folder, 'did.jsonl'))
    await rm(join(folder, 'key.json'))
    await tillit('create', place)
    await expect(tillit('create', place, '--register', city.url)).rejects.toThrow('another log')
  })
})

/** Keeps the log of one DID as a registry does: it accepts what follows and nothing else. */
async function startCity() {
  const city = { url: '', entries: [] as DidLogEntry[], refuse: false, server: createServer() }
  let last: DidState | null = null
  city.server.on('request', async (request, reply) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    if (request.method === 'GET') {
      const found = city.entries.length > 0
      reply.writeHead(found ? 200 : 404).end(found ? formatDidLog(city.entries) : '{"code":"did-not-found"}')
      return
    }
    if (city.refuse) {
      reply.writeHead(503).end('{"code":"not-ready"}')
      return
    }
    const body = JSON.parse(Buffer.concat(chunks).toString())
    const entry = (request.url === '/dids' ? body.entry : body) as DidLogEntry
    last = nextDidState({ state: last, entry, now: new Date() })
    city.entries.push(entry)
    const opening = { kind: 'did', salt: 'AA', commitment: '00' }
    reply
      .writeHead(201)
      .end(JSON.stringify({ did: last.did, versionId: last.versionId, listed: true, deactivated: false, opening }))
  })
  await new Promise<void>((resolve) => city.server.listen(0, '127.0.0.1', resolve))
  city.url = `http://127.0.0.1:${(city.server.address() as AddressInfo).port}`
  return city
}

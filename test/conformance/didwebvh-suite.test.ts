import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { formatDidLog } from '@tillit/did'
import type { DidLogEntry } from '@tillit/schemas'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { judgeVectors } from './didwebvh-judge.ts'
import type { ExpectedResult } from './didwebvh-verdict.ts'

const script = fileURLToPath(new URL('didwebvh-suite.ts', import.meta.url))
const vectors = new URL('../vectors/did/', import.meta.url)
const now = new Date('2026-06-01T00:00:00Z')

let checkout: string

beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), 'tillit-didwebvh-suite-'))
})
afterEach(() => rmSync(checkout, { recursive: true }))

test('a log that resolves to what the suite expects passes, with implied services and absent metadata left aside', async () => {
  const log = readLog('valid/keys-rotate-with-an-entry-signed-by-the-key-before')
  const result = expected(log)
  const implied = { id: '#files', type: 'relativeRef', serviceEndpoint: 'https://city.example/' }
  write('key-rotation/ours', log, {
    'resolutionResult.json': {
      didDocument: { ...result.didDocument, service: [implied] },
      didDocumentMetadata: { ...result.didDocumentMetadata, versionNumber: 2, watchers: null, portable: null },
      didResolutionMetadata: null,
    },
  })
  expect(await verdicts()).toEqual({ 'key-rotation/ours/resolutionResult.json': 'pass' })
})

test('an older version is asked for by the number in the name of its result', async () => {
  const log = readLog('valid/keys-rotate-with-an-entry-signed-by-the-key-before')
  const first = expected(log.slice(0, 1))
  const older = { ...first, didDocumentMetadata: { ...first.didDocumentMetadata, updated: log.at(-1)?.versionTime } }
  write('key-rotation/ours', log, { 'resolutionResult.json': expected(log), 'resolutionResult.1.json': older })
  expect(await verdicts()).toEqual({
    'key-rotation/ours/resolutionResult.1.json': 'pass',
    'key-rotation/ours/resolutionResult.json': 'pass',
  })
})

test.each<[string, (result: ExpectedResult) => object]>([
  ['document', ({ didDocument, ...rest }) => ({ ...rest, didDocument: { ...didDocument, alsoKnownAs: ['did:a:b'] } })],
  ['version', (result) => withMetadata(result, { versionId: '2-Qm' })],
  ['error', () => refusal('invalidDid')],
])('a log that resolves to another %s than the suite expects fails', async (_what, change) => {
  const log = readLog('valid/a-log-of-one-entry')
  write('basic-create/ours', log, { 'resolutionResult.json': change(expected(log)) })
  expect(await verdicts()).toEqual({ 'basic-create/ours/resolutionResult.json': 'FAIL' })
})

test('a log that has to be refused passes when it is, with or without a result, and fails by another error', async () => {
  const log = readLog('invalid/a-scid-that-is-not-the-hash-of-the-first-entry')
  write('negative-scid/by-another-error', log, { 'resolutionResult.json': refusal('notFound') })
  write('negative-scid/ours', log, { 'resolutionResult.json': refusal('invalidDid') })
  write('negative-scid/without-result', log, {})
  expect(await verdicts()).toEqual({
    'negative-scid/by-another-error/resolutionResult.json': 'FAIL',
    'negative-scid/ours/resolutionResult.json': 'pass',
    'negative-scid/without-result/resolutionResult.json': 'pass',
  })
})

test('a log that has to be refused and resolves fails', async () => {
  write('negative-nothing/ours', readLog('valid/a-log-of-one-entry'), {})
  expect(await verdicts()).toEqual({ 'negative-nothing/ours/resolutionResult.json': 'FAIL' })
})

test.each([
  ['passes when all of them are', ['127%2E0%2E0%2E1', 'city.example:..:secret'], 'pass'],
  ['fails when one of them is looked up', ['127%2E0%2E0%2E1', 'city.example'], 'FAIL'],
])('a script without a log, whose DIDs have to be refused for their text, %s', async (_when, places, verdict) => {
  const did = (place: string) => `did:webvh:Qmc57yQsqz5NYVyMwT1zWTAXBAX6cNHfiAzqcABAJTkLnY:${place}`
  const steps = places.map((place) => `  - op: resolve-did\n    did: "${did(place)}"\n`)
  write('negative-places/ours', [], { 'resolutionResult.json': refusal('invalidDid') })
  writeFileSync(join(checkout, 'vectors/negative-places/script.yaml'), `negative: true\nsteps:\n${steps.join('')}`)
  expect(await verdicts()).toEqual({ 'negative-places/ours/resolutionResult.json': verdict })
})

test('a listed contradiction is no failure, and its reason is shown', async () => {
  const log = readLog('valid/a-deactivated-did-with-its-metadata')
  write('deactivate/rust', log, { 'resolutionResult.json': expected(log) })
  expect(await judgeVectors(checkout, now)).toEqual([
    {
      name: 'deactivate/rust/resolutionResult.json',
      verdict: 'contradiction',
      because: expect.stringContaining('DID Resolution 1.0, section 4.4, step 5'),
    },
  ])
})

test.each<[string, (result: ExpectedResult) => object, string]>([
  ['is none any more', (result) => ({ ...result, didDocument: null }), 'differs in nothing'],
  [
    'differs in more than is listed',
    (result) => withMetadata(result, { created: '2020-01-01T00:00:00Z' }),
    'differs in didDocument, created',
  ],
])('a listed contradiction that %s fails', async (_how, change, because) => {
  const log = readLog('valid/a-deactivated-did-with-its-metadata')
  write('deactivate/rust', log, { 'resolutionResult.json': change(expected(log)) })
  expect(await judgeVectors(checkout, now)).toMatchObject([
    { verdict: 'FAIL', because: expect.stringContaining(`listed to differ in didDocument, ${because}`) },
  ])
})

test('a log without a result is told apart', async () => {
  write('basic-create/ours', readLog('valid/a-log-of-one-entry'), {})
  expect(await verdicts()).toEqual({ 'basic-create/ours/resolutionResult.json': 'no result' })
})

test('witness proofs beside the log are read', async () => {
  const { log, witness } = readVector('valid/a-new-witness-list-counts-from-the-next-entry-on')
  const results = { 'resolutionResult.json': expected(log) }
  write('witnessed/with-proofs', log, results)
  writeFileSync(join(checkout, 'vectors/witnessed/with-proofs/did-witness.json'), JSON.stringify(witness))
  write('witnessed/without-proofs', log, results)
  expect(await verdicts()).toEqual({
    'witnessed/with-proofs/resolutionResult.json': 'pass',
    'witnessed/without-proofs/resolutionResult.json': 'FAIL',
  })
})

test('the script prints a line for each vector and ends with 0 when none fails', () => {
  const log = readLog('valid/a-deactivated-did-with-its-metadata')
  write('deactivate/rust', log, { 'resolutionResult.json': expected(log) })
  write('deactivate/ours', log, { 'resolutionResult.json': { ...expected(log), didDocument: null } })
  const { status, stdout } = run(checkout)
  expect(stdout).toMatch(/^deactivate\/ours\/resolutionResult\.json {2}pass +resolves to no document$/m)
  expect(stdout).toContain('2 vectors: 1 pass, 1 contradiction, 0 no result, 0 FAIL')
  expect(status).toBe(0)
})

test('the script ends with 1 when a vector fails, and when there is none', () => {
  const log = readLog('valid/a-log-of-one-entry')
  mkdirSync(join(checkout, 'vectors'))
  expect(run(checkout).status).toBe(1)
  write('basic-create/ours', log, { 'resolutionResult.json': refusal('invalidDid') })
  const { status, stdout } = run(checkout)
  expect(stdout).toContain('1 vectors: 0 pass, 0 contradiction, 0 no result, 1 FAIL')
  expect(status).toBe(1)
})

interface Vector {
  log: DidLogEntry[]
  witness: unknown
}

function readVector(path: string): Vector {
  return JSON.parse(readFileSync(new URL(`${path}.json`, vectors), 'utf8')) as Vector
}

function readLog(path: string): DidLogEntry[] {
  return readVector(path).log
}

/** What a harness that shows the newest document of a log would write. */
function expected(log: readonly DidLogEntry[]): ExpectedResult {
  const newest = log.at(-1)
  if (newest === undefined) throw new Error('The log is empty')
  return {
    didDocument: { id: '', ...newest.state },
    didDocumentMetadata: {
      versionId: newest.versionId,
      versionTime: newest.versionTime,
      created: log[0]?.versionTime,
      updated: newest.versionTime,
    },
    didResolutionMetadata: {},
  }
}

function withMetadata({ didDocumentMetadata, ...rest }: ExpectedResult, changes: object): object {
  return { ...rest, didDocumentMetadata: { ...didDocumentMetadata, ...changes } }
}

function refusal(error: string): ExpectedResult {
  return { didDocument: null, didDocumentMetadata: {}, didResolutionMetadata: { error } }
}

function write(path: string, log: readonly DidLogEntry[], results: Readonly<Record<string, object>>): void {
  const folder = join(checkout, 'vectors', path)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'did.jsonl'), formatDidLog(log))
  for (const [name, result] of Object.entries(results)) writeFileSync(join(folder, name), JSON.stringify(result))
}

async function verdicts(): Promise<Record<string, string>> {
  return Object.fromEntries((await judgeVectors(checkout, now)).map(({ name, verdict }) => [name, verdict]))
}

function run(folder: string) {
  return spawnSync(process.execPath, [script, folder], { encoding: 'utf8' })
}

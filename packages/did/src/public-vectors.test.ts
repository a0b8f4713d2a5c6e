import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { createResolver, parseDidLog, type ResolveOptions } from './index.ts'

const folder = new URL('../../../test/vectors/did/public/', import.meta.url)
const now = new Date('2026-08-01T00:00:00Z')

interface Verdict {
  path: string
  query: ResolveOptions
  /** The document metadata has at least these members. */
  metadata: { versionId: string; deactivated: boolean; updated: string }
  /** Why the specification's verdict, which stands here, is not the suite's. */
  contradicts?: string
}

const verdicts = JSON.parse(readFileSync(new URL('verdicts.json', folder), 'utf8')) as Verdict[]

interface Refusal {
  path: string
  error: string
  /** Words of the reason: a log may be refused for its fault only, not for another one. */
  because: string
}

const refusals = JSON.parse(readFileSync(new URL('refusals.json', folder), 'utf8')) as Refusal[]

function open(path: string) {
  const log = readFileSync(new URL(`${path}/did.jsonl`, folder), 'utf8')
  const witnessFile = new URL(`${path}/did-witness.json`, folder)
  const resolver = createResolver({
    webvhLog: async () => log,
    webvhWitness: async () => (existsSync(witnessFile) ? readFileSync(witnessFile, 'utf8') : null),
    fetchText: null,
    now: () => now,
  })
  return { log, resolver }
}

test.each(refusals)('$path does not resolve', async ({ path, error, because }) => {
  const { log, resolver } = open(path)
  const [genesis] = parseDidLog(log)
  // Where the document names another DID, the one whose place the log has is asked for.
  const did = `did:webvh:${genesis?.parameters.scid}:example.com`
  const { didDocument, didResolutionMetadata } = await resolver.resolve(did)
  expect(didDocument).toBeNull()
  expect(didResolutionMetadata.error).toBe(error)
  expect(JSON.stringify(didResolutionMetadata.problemDetails)).toContain(because)
})

test.each(verdicts)('$path resolves at $query', async ({ path, query, metadata }) => {
  const { log, resolver } = open(path)
  const entry = parseDidLog(log).find(({ versionId }) => versionId === metadata.versionId)
  const result = await resolver.resolve(String(entry?.state.id), query)
  expect(result.didResolutionMetadata.error).toBeUndefined()
  expect(result.didDocumentMetadata).toMatchObject(metadata)
  expect(result.didDocument).toEqual(metadata.deactivated ? null : entry?.state)
})

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

test.each(verdicts)('$path resolves at $query', async ({ path, query, metadata }) => {
  const log = readFileSync(new URL(`${path}/did.jsonl`, folder), 'utf8')
  const witnessFile = new URL(`${path}/did-witness.json`, folder)
  const resolver = createResolver({
    webvhLog: async () => log,
    webvhWitness: async () => (existsSync(witnessFile) ? readFileSync(witnessFile, 'utf8') : null),
    fetchText: null,
    now: () => now,
  })
  const entry = parseDidLog(log).find(({ versionId }) => versionId === metadata.versionId)
  const result = await resolver.resolve(String(entry?.state.id), query)
  expect(result.didResolutionMetadata.error).toBeUndefined()
  expect(result.didDocumentMetadata).toMatchObject(metadata)
  expect(result.didDocument).toEqual(metadata.deactivated ? null : entry?.state)
})

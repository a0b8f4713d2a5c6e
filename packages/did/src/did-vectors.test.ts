import { readdirSync, readFileSync } from 'node:fs'
import { isProblem } from '@tillit/problem'
import type { DidLogEntry } from '@tillit/schemas'
import { describe, expect, test } from 'vitest'
import {
  createResolver,
  type DIDDocument,
  dereference,
  formatDidLog,
  nextDidState,
  parseDid,
  type ResolveOptions,
  verifyDidLog,
  webLocation,
  webvhLocation,
} from './index.ts'

const folder = new URL('../../../test/vectors/did/', import.meta.url)

interface Resolution {
  kind: 'resolution'
  now: string
  did: string
  query: ResolveOptions
  log: DidLogEntry[]
  /** Text where the file is not JSON. */
  witness: object | string | null
}
interface Dereferencing {
  kind: 'dereferencing'
  didUrl: string
  accept: string | null
  document: DIDDocument
}
type Valid =
  | { kind: 'log'; now: string; log: DidLogEntry[]; state: Record<string, unknown> }
  | { kind: 'dids'; dids: { did: string; location: string }[] }
  | (Resolution & { metadata: Record<string, unknown> })
  | (Dereferencing & { content: unknown })
type Invalid =
  | { kind: 'log'; now: string; log: DidLogEntry[]; code: string; pointer: string }
  | { kind: 'dids'; dids: string[]; code: string }
  | (Resolution & { code: string })
  | (Dereferencing & { error: string })

const offline = createResolver({
  webvhLog: async () => null,
  webvhWitness: async () => null,
  fetchText: null,
  now: () => new Date(0),
})

describe('accepted', () => {
  test.each(vectors<Valid>('valid'))('%s', async (_sentence, vector) => {
    if (vector.kind === 'log') {
      expect(verifyDidLog(vector.log, { now: new Date(vector.now) })).toMatchObject(vector.state)
      return
    }
    if (vector.kind === 'resolution') {
      const { didDocument, didResolutionMetadata, didDocumentMetadata } = await resolve(vector)
      expect(didResolutionMetadata.error).toBeUndefined()
      expect(didDocumentMetadata).toMatchObject(vector.metadata)
      expect(didDocument === null).toBe(vector.metadata.deactivated === true)
      return
    }
    if (vector.kind === 'dereferencing') {
      expect(follow(vector).contentStream).toEqual(vector.content)
      return
    }
    for (const { did, location } of vector.dids) {
      const url = parseDid(did).method === 'web' ? webLocation(did) : webvhLocation(did)
      expect(url.href).toBe(location)
    }
  })
})

describe('refused', () => {
  test.each(vectors<Invalid>('invalid'))('%s', async (_sentence, vector) => {
    if (vector.kind === 'log') {
      expect(refusal(vector.log, new Date(vector.now))).toEqual({ code: vector.code, pointer: vector.pointer })
      return
    }
    if (vector.kind === 'resolution') {
      const { didDocument, didResolutionMetadata } = await resolve(vector)
      expect(didDocument).toBeNull()
      expect(didResolutionMetadata.problemDetails?.code).toBe(vector.code)
      return
    }
    if (vector.kind === 'dereferencing') {
      expect(follow(vector)).toMatchObject({ dereferencingMetadata: { error: vector.error }, contentStream: null })
      return
    }
    for (const did of vector.dids) {
      if (vector.code === 'invalid-did') {
        expect(() => parseDid(did), did).toThrow(expect.objectContaining({ code: 'invalid-did' }))
        continue
      }
      const { didDocument, didResolutionMetadata } = await offline.resolve(did)
      expect(didDocument, did).toBeNull()
      expect(didResolutionMetadata, did).toMatchObject({
        error: 'invalidDid',
        problemDetails: { code: vector.code },
      })
    }
  })
})

function resolve({ did, log, witness, now, query }: Resolution) {
  const resolver = createResolver({
    webvhLog: async () => formatDidLog(log),
    webvhWitness: async () => (typeof witness === 'object' && witness !== null ? JSON.stringify(witness) : witness),
    fetchText: null,
    now: () => new Date(now),
  })
  return resolver.resolve(did, query)
}

function follow({ didUrl, accept, document }: Dereferencing) {
  const resolution = {
    '@context': 'https://w3id.org/did-resolution/v1',
    didDocument: document,
    didResolutionMetadata: { contentType: 'application/did' },
    didDocumentMetadata: {},
  } as const
  return dereference(didUrl, resolution, accept === null ? {} : { accept })
}

/** Every entry but the last must verify, so that it is the last which is refused. */
function refusal(log: DidLogEntry[], now: Date): { code: string; pointer: string } {
  const before = log.slice(0, -1)
  const state = before.length === 0 ? null : verifyDidLog(before, { now })
  const entry = log.at(-1)
  if (entry === undefined) throw new Error('the vector has no entry')
  try {
    nextDidState({ state, entry, now })
  } catch (error) {
    if (isProblem(error)) return { code: error.code, pointer: error.pointer ?? '' }
    throw error
  }
  throw new Error('the entry was accepted')
}

function vectors<Vector>(verdict: 'valid' | 'invalid'): [string, Vector][] {
  const directory = new URL(`${verdict}/`, folder)
  return readdirSync(directory).map((file) => [
    file.replace('.json', '').replaceAll('-', ' '),
    JSON.parse(readFileSync(new URL(file, directory), 'utf8')) as Vector,
  ])
}

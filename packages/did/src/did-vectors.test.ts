import { readdirSync, readFileSync } from 'node:fs'
import { isProblem } from '@tillit/problem'
import type { DidLogEntry } from '@tillit/schemas'
import { describe, expect, test } from 'vitest'
import { createResolver, nextDidState, parseDid, verifyDidLog, webLocation, webvhLocation } from './index.ts'

const folder = new URL('../../../test/vectors/did/', import.meta.url)

type Valid =
  | { kind: 'log'; now: string; log: DidLogEntry[]; state: Record<string, unknown> }
  | { kind: 'dids'; dids: { did: string; location: string }[] }
type Invalid =
  | { kind: 'log'; now: string; log: DidLogEntry[]; code: string; pointer: string }
  | { kind: 'dids'; dids: string[]; code: string }

const offline = createResolver({ webvhLog: async () => null, fetchText: null, now: () => new Date(0) })

describe('accepted', () => {
  test.each(vectors<Valid>('valid'))('%s', (_sentence, vector) => {
    if (vector.kind === 'log') {
      expect(verifyDidLog(vector.log, { now: new Date(vector.now) })).toMatchObject(vector.state)
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

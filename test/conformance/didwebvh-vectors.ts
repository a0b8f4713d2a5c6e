import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createResolver, type DidResolution, parseDidLog } from '@tillit/did'
import type { ExpectedResult } from './didwebvh-verdict.ts'

/** One result that a harness of the suite committed: `vectors/<scenario>/<implementation>/<result>`. */
export interface SuiteVector {
  readonly scenario: string
  readonly implementation: string
  readonly result: string
  readonly folder: string
  /** Null where a harness left a log and no result. */
  readonly expected: ExpectedResult | null
}

/** What the suite asks of a negative scenario that has no result file of its own (NEGATIVE_VECTORS.md). */
const refusal: ExpectedResult = {
  didDocument: null,
  didDocumentMetadata: {},
  didResolutionMetadata: { error: 'invalidDid' },
}

/** The vectors of a checkout, in the order of their names. */
export function readVectors(checkout: string): SuiteVector[] {
  const vectors = join(checkout, 'vectors')
  return foldersIn(vectors).flatMap((scenario) =>
    foldersIn(join(vectors, scenario)).flatMap((implementation) =>
      vectorsIn(join(vectors, scenario, implementation), scenario, implementation),
    ),
  )
}

function vectorsIn(folder: string, scenario: string, implementation: string): SuiteVector[] {
  const results = readdirSync(folder).filter((name) => /^resolutionResult(\.[0-9]+)?\.json$/.test(name))
  if (results.length === 0) {
    const expected = scenario.startsWith('negative-') ? refusal : null
    return [{ scenario, implementation, result: 'resolutionResult.json', folder, expected }]
  }
  return results.sort().map((result) => {
    const expected = JSON.parse(readFileSync(join(folder, result), 'utf8')) as ExpectedResult
    return { scenario, implementation, result, folder, expected }
  })
}

/**
 * Resolves what the vector is about from its files alone, at the version that the name of its result tells. There is one
 * resolution, or one for each DID that a script without a log names.
 */
export async function resolveVector({ folder, result, expected }: SuiteVector, now: Date): Promise<DidResolution[]> {
  const log = readFileSync(join(folder, 'did.jsonl'), 'utf8')
  if (log.trim() === '') return Promise.all(didsOfScript(folder).map((did) => resolveText(did, now)))
  const witnessFile = join(folder, 'did-witness.json')
  const resolver = createResolver({
    webvhLog: async () => log,
    webvhWitness: async () => (existsSync(witnessFile) ? readFileSync(witnessFile, 'utf8') : null),
    fetchText: null,
    now: () => now,
  })
  const versionNumber = /\.([0-9]+)\.json$/.exec(result)?.[1]
  return [
    await resolver.resolve(
      expected?.didDocument?.id ?? didOfLog(log),
      versionNumber === undefined ? {} : { versionNumber: Number(versionNumber) },
    ),
  ]
}

/** A DID that is to be refused for its text must not get as far as its log: where it does, the error is taken away. */
async function resolveText(did: string, now: Date): Promise<DidResolution> {
  let askedForLog = false
  const resolver = createResolver({
    webvhLog: async () => {
      askedForLog = true
      return null
    },
    webvhWitness: async () => null,
    fetchText: null,
    now: () => now,
  })
  const resolution = await resolver.resolve(did)
  return askedForLog ? { ...resolution, didResolutionMetadata: {} } : resolution
}

function didsOfScript(folder: string): string[] {
  const script = readFileSync(join(folder, '..', 'script.yaml'), 'utf8')
  const dids = [...script.matchAll(/^\s*(?:- )?did: *["']?(did:[^"'\s]+)/gm)].flatMap(([, did]) => did ?? [])
  if (dids.length === 0) throw new Error(`${folder}: no log, and the script names no DID`)
  return dids
}

/** The newest document may name another DID than the one whose log this claims to be: its SCID is that of the first entry. */
function didOfLog(log: string): string {
  const entries = parseDidLog(log)
  const place = String(entries.at(-1)?.state.id).split(':').slice(3).join(':')
  return `did:webvh:${entries[0]?.parameters.scid}:${place}`
}

function foldersIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((item) => item.isDirectory())
    .map(({ name }) => name)
    .sort()
}

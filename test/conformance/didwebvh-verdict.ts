import { isDeepStrictEqual } from 'node:util'
import type { DIDDocument, DidResolution } from '@tillit/did'

/** What a `resolutionResult.json` of the suite holds, as far as it is compared. */
export interface ExpectedResult {
  readonly didDocument: DIDDocument | null
  readonly didDocumentMetadata: Readonly<Record<string, unknown>>
  /** Null in what the Python harness writes. */
  readonly didResolutionMetadata: { readonly error?: string } | null
}

/** The metadata that did:webvh v1.0, "Read", names and all harnesses write in one form. */
const comparedMetadata = ['versionId', 'versionTime', 'created', 'updated', 'scid', 'portable', 'deactivated'] as const

export type Difference = 'error' | 'didDocument' | (typeof comparedMetadata)[number]

/** What every did:webvh has, named or not (did:webvh v1.0, "DID URL Path Resolution Service", "whois LinkedVP Service"). */
const impliedServices = ['files', 'whois']

/**
 * Where our resolution differs from the suite's result. Metadata counts where the suite gives it. The implied services count
 * where our document has them: the harnesses show them in the document, the specification only implies them.
 */
export function differences(ours: DidResolution, expected: ExpectedResult): Difference[] {
  const found: Difference[] = []
  const error = expected.didResolutionMetadata?.error
  if (ours.didResolutionMetadata.error !== error) found.push('error')
  if (!isDeepStrictEqual(ours.didDocument, withoutImplied(expected.didDocument, ours.didDocument)))
    found.push('didDocument')
  // A refusal has no metadata to compare.
  if (found.includes('error') || error !== undefined) return found
  const metadata: Readonly<Record<string, unknown>> = ours.didDocumentMetadata
  const stated = comparedMetadata.filter((name) => (expected.didDocumentMetadata[name] ?? null) !== null)
  return [...found, ...stated.filter((name) => metadata[name] !== expected.didDocumentMetadata[name])]
}

function withoutImplied(expected: DIDDocument | null, ours: DIDDocument | null): DIDDocument | null {
  if (expected === null || ours === null) return expected
  const stated = new Set(ours.service?.map(({ id }) => fragment(id)))
  const { service, ...document } = expected
  const kept = service?.filter(({ id }) => !impliedServices.includes(fragment(id)) || stated.has(fragment(id)))
  if (kept === undefined || (kept.length === 0 && ours.service === undefined)) return document
  return { ...document, service: kept }
}

function fragment(id: string): string {
  return id.slice(id.indexOf('#') + 1)
}

import type { Problem } from '@tillit/problem'
import type { DIDDocument, DIDDocumentMetadata } from 'did-resolver'
import { type DidErrorObject, type DidResolutionError, errorMetadata } from './resolution-error.ts'
import type { ResolvedVersion } from './resolve-webvh.ts'

/** A DID resolution result (W3C DID Resolution); the type fits both the `DidResolutionResult` schema and did-resolver. */
export interface DidResolution {
  '@context': 'https://w3id.org/did-resolution/v1'
  didDocument: DIDDocument | null
  didResolutionMetadata: {
    contentType?: string
    error?: DidResolutionError
    problemDetails?: DidErrorObject
    [name: string]: unknown
  }
  didDocumentMetadata: DIDDocumentMetadata
}

export const defaultContentType = 'application/did+ld+json'

export function resolved(document: DIDDocument | null, metadata: DIDDocumentMetadata = {}): DidResolution {
  return {
    '@context': 'https://w3id.org/did-resolution/v1',
    didDocument: document,
    didResolutionMetadata: { contentType: defaultContentType },
    didDocumentMetadata: metadata,
  }
}

/** The result for a DID that did not resolve; the Problem stays readable in `problemDetails` (RFC 9457). */
export function unresolved(problem: Problem): DidResolution {
  return {
    '@context': 'https://w3id.org/did-resolution/v1',
    didDocument: null,
    didResolutionMetadata: { ...errorMetadata(problem) },
    didDocumentMetadata: {},
  }
}

/** A version of a did:webvh with the metadata that did:webvh v1.0, "Read", lists. A deactivated DID has no document. */
export function resolvedVersion(did: string, { version, latest }: ResolvedVersion): DidResolution {
  const { witness } = latest
  return resolved(version.deactivated ? null : version.document, {
    versionId: version.versionId,
    versionTime: version.versionTime,
    created: version.created,
    updated: latest.versionTime,
    scid: version.scid,
    portable: latest.portable,
    deactivated: latest.deactivated,
    ttl: String(latest.ttlSeconds),
    ...(version.did === did ? {} : { canonicalId: version.did }),
    // Numbers stand as text: DID Resolution knows no integers in metadata.
    ...(witness === null ? {} : { witness: { ...witness, threshold: String(witness.threshold) } }),
    ...(latest.watchers.length === 0 ? {} : { watchers: latest.watchers }),
  })
}

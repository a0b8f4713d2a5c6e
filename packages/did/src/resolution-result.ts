import { type Problem, type ProblemCode, problemCodes, problemTypeBase } from '@tillit/problem'
import type { DIDDocument, DIDDocumentMetadata } from 'did-resolver'
import type { ResolvedVersion } from './resolve-webvh.ts'

/** A DID resolution result (W3C DID Resolution); the type fits both the `DidResolutionResult` schema and did-resolver. */
export interface DidResolution {
  '@context': 'https://w3id.org/did-resolution/v1'
  didDocument: DIDDocument | null
  didResolutionMetadata: { contentType?: string; error?: DidResolutionError; [name: string]: unknown }
  didDocumentMetadata: DIDDocumentMetadata
}

export type DidResolutionError =
  | 'invalidDid'
  | 'invalidOptions'
  | 'notFound'
  | 'methodNotSupported'
  | 'representationNotSupported'
  | 'internalError'

/** Problems that are not here say that what was resolved is invalid. */
const errorOf: Partial<Record<ProblemCode, DidResolutionError>> = {
  'invalid-request': 'invalidOptions',
  'did-not-found': 'notFound',
  'did-method-not-supported': 'methodNotSupported',
  'did-representation-not-supported': 'representationNotSupported',
  'did-resolution-failed': 'internalError',
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
    didResolutionMetadata: {
      error: errorOf[problem.code] ?? 'invalidDid',
      problemDetails: {
        type: problemTypeBase + problem.code,
        title: problemCodes[problem.code].title,
        detail: problem.message,
        code: problem.code,
        ...(problem.pointer === undefined ? {} : { pointer: problem.pointer }),
      },
    },
    didDocumentMetadata: {},
  }
}

/** A version of a did:webvh with the metadata that did:webvh v1.0, "Read", lists. A deactivated DID has no document. */
export function resolvedVersion(did: string, { version, latest }: ResolvedVersion): DidResolution {
  const { witness } = latest
  const result = resolved(version.deactivated ? null : version.document, {
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
  // Said aloud, since a reader would take a configured witness for one that was heard.
  if (witness !== null || version.requiredWitness !== null) result.didResolutionMetadata.witnessProofs = 'notVerified'
  return result
}

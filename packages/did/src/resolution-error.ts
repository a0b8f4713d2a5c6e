import { type Problem, type ProblemCode, problemCodes } from '@tillit/problem'

/** Where W3C DID Resolution and Controlled Identifiers define their errors. */
const didErrors = 'https://www.w3.org/ns/did#'
const identifierErrors = 'https://w3id.org/security#'

/** The errors by the names that did:webvh v1.0 and did-resolver use, each with its type URI. */
const errorTypes = {
  invalidDid: `${didErrors}INVALID_DID`,
  invalidDidUrl: `${didErrors}INVALID_DID_URL`,
  invalidDidDocument: `${didErrors}INVALID_DID_DOCUMENT`,
  invalidOptions: `${didErrors}INVALID_OPTIONS`,
  notFound: `${didErrors}NOT_FOUND`,
  methodNotSupported: `${didErrors}METHOD_NOT_SUPPORTED`,
  featureNotSupported: `${didErrors}FEATURE_NOT_SUPPORTED`,
  representationNotSupported: `${didErrors}REPRESENTATION_NOT_SUPPORTED`,
  internalError: `${didErrors}INTERNAL_ERROR`,
  invalidVerificationMethod: `${identifierErrors}INVALID_VERIFICATION_METHOD`,
  invalidRelationship: `${identifierErrors}INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD`,
} as const

export type DidResolutionError = keyof typeof errorTypes

/** Problems that are not here say that what was resolved is invalid. */
const errorOf: Partial<Record<ProblemCode, DidResolutionError>> = {
  'invalid-request': 'invalidOptions',
  'did-not-found': 'notFound',
  'did-method-not-supported': 'methodNotSupported',
  'feature-not-supported': 'featureNotSupported',
  'did-representation-not-supported': 'representationNotSupported',
  'did-resolution-failed': 'internalError',
}

/** What is wrong, as RFC 9457 wants it, with our code and the place where they are known. */
export interface DidErrorObject {
  readonly type: string
  readonly title: string
  readonly detail: string
  readonly code?: ProblemCode
  readonly pointer?: string
}

/** Members of a resolution's or dereferencing's metadata that failed. */
export interface DidErrorMetadata {
  error: DidResolutionError
  problemDetails: DidErrorObject
}

export function errorMetadata(problem: Problem, error = errorOf[problem.code] ?? 'invalidDid'): DidErrorMetadata {
  return {
    error,
    problemDetails: {
      type: errorTypes[error],
      title: problemCodes[problem.code].title,
      detail: problem.message,
      code: problem.code,
      ...(problem.pointer === undefined ? {} : { pointer: problem.pointer }),
    },
  }
}

/**
 * Metadata as W3C DID Resolution has it on the wire: `error` is the RFC 9457 object, its type the URI of the error, where
 * did:webvh v1.0 and did-resolver have a name and the object beside it. Metadata without an error stays as it is.
 */
export function withErrorObject(metadata: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { error, problemDetails, ...rest } = metadata
  if (error === undefined) return { ...metadata }
  if (typeof problemDetails === 'object' && problemDetails !== null) return { ...rest, error: problemDetails }
  const type = typeof error === 'string' && isKnown(error) ? errorTypes[error] : errorTypes.internalError
  return { ...rest, error: { type, title: String(error) } }
}

function isKnown(name: string): name is DidResolutionError {
  return Object.hasOwn(errorTypes, name)
}

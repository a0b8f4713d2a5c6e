import {
  type DidDereferencing,
  type DidResolution,
  type DidResolutionError,
  dereference,
  parseDidUrl,
  resolvableUrl,
  withErrorObject,
} from '@tillit/did'
import { isProblem } from '@tillit/problem'
import { namesType, negotiate } from './accept-header.ts'
import type { IdentifierRequest } from './identifier-of-url.ts'
import type { ResolveDid } from './resolve-did.ts'

const documentTypes = ['application/did', 'application/did+json', 'application/did+ld+json'] as const
const jsonTypes = ['application/json', 'application/ld+json'] as const
const resolutionType = 'application/did-resolution'
const dereferencingType = 'application/did-url-dereferencing'
const uriListType = 'text/uri-list'

/** In the order in which they are given to whoever takes anything. */
const offersForDid = [resolutionType, ...documentTypes, ...jsonTypes, dereferencingType] as const
const offersForUrl = [
  'application/did+ld+json',
  ...documentTypes,
  uriListType,
  dereferencingType,
  ...jsonTypes,
] as const

const versionParameters = new Set(['versionId', 'versionTime', 'versionNumber'])

/** W3C DID Resolution, section 12.1, step 6. The last two are from Controlled Identifiers, and the requester's to mend. */
const statusOfError: Record<DidResolutionError, number> = {
  invalidDid: 400,
  invalidDidUrl: 400,
  invalidOptions: 400,
  notFound: 404,
  representationNotSupported: 406,
  invalidDidDocument: 500,
  methodNotSupported: 501,
  featureNotSupported: 501,
  internalError: 500,
  invalidVerificationMethod: 400,
  invalidRelationship: 400,
}

export interface IdentifierAnswer {
  readonly status: number
  /** null where there is no body. */
  readonly contentType: string | null
  /** The bytes as they are sent. */
  readonly body: Buffer
  /** Where the resource is, when it is at a URL. */
  readonly location: string | null
}

/**
 * Answers a request of the HTTP(S) binding (W3C DID Resolution, section 12.1): a DID is resolved, a DID URL dereferenced. The
 * whole result, or only the document or resource, as the Accept header says; a fault alone is told as a problem (RFC 9457).
 */
export async function resolveIdentifier(
  { identifier, options }: IdentifierRequest,
  accept: string | undefined,
  resolve: ResolveDid,
): Promise<IdentifierAnswer> {
  const bare = isBareDid(identifier)
  const type = negotiate(accept, bare ? offersForDid : offersForUrl)
  if (type === null) return fault('representationNotSupported', notAcceptable(bare ? offersForDid : offersForUrl))
  const { noCache = false, verificationRelationship, ...version } = options
  const resolution = await resolve(resolvableUrl(identifier), { ...version, fresh: noCache })
  if (bare && type !== dereferencingType) return answerResolution(resolution, type)
  const wanted = !namesType(accept, type) || type === dereferencingType || isJson(type) ? undefined : type
  const result = dereference(identifier, resolution, {
    ...(wanted === undefined ? {} : { accept: wanted }),
    ...(verificationRelationship === undefined ? {} : { verificationRelationship }),
  })
  return answerDereferencing(result, type)
}

function answerResolution(resolution: DidResolution, type: string): IdentifierAnswer {
  const { didDocument, didResolutionMetadata } = resolution
  const { error } = didResolutionMetadata
  const status = statusOf(error, didDocument)
  if (type === resolutionType || isJson(type)) {
    return json(status, type, { ...resolution, didResolutionMetadata: onTheWire(didResolutionMetadata) })
  }
  if (error !== undefined) return fault(error, didResolutionMetadata.problemDetails)
  return didDocument === null ? gone() : json(status, type, didDocument)
}

function answerDereferencing(result: DidDereferencing, type: string): IdentifierAnswer {
  const { dereferencingMetadata, contentStream } = result
  const { error, contentType } = dereferencingMetadata
  const status = statusOf(error, contentStream)
  if (type === dereferencingType)
    return json(status, type, { ...result, dereferencingMetadata: onTheWire(dereferencingMetadata) })
  if (error !== undefined) return fault(error, dereferencingMetadata.problemDetails)
  if (contentStream === null) return gone()
  const [url] = contentType === uriListType && Array.isArray(contentStream) ? contentStream : []
  if (typeof url === 'string')
    return { status: 303, contentType: null, body: Buffer.alloc(0), location: new URL(url).href }
  return json(status, contentType ?? type, contentStream)
}

/** Steps 7 to 9: what is deactivated is gone; an older version of it that was asked for is there nevertheless. */
function statusOf(error: DidResolutionError | undefined, content: object | null): number {
  if (error !== undefined) return statusOfError[error] ?? 500
  return content === null ? 410 : 200
}

function isBareDid(identifier: string): boolean {
  try {
    const { path, query, fragment } = parseDidUrl(identifier)
    return path === '' && fragment === null && [...query.keys()].every((name) => versionParameters.has(name))
  } catch (error) {
    // Resolving says what is wrong with it.
    if (isProblem(error)) return true
    throw error
  }
}

function fault(error: DidResolutionError, details: object | undefined): IdentifierAnswer {
  const status = statusOfError[error] ?? 500
  const problem = onTheWire({ error, ...(details === undefined ? {} : { problemDetails: details }) }).error
  return json(status, 'application/problem+json', { ...(problem as object), status })
}

/** The error as the object of W3C DID Resolution; did:webvh v1.0 knows it by its name, which is told beside. */
function onTheWire(metadata: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const wire = withErrorObject(metadata)
  if (metadata.error === undefined) return wire
  return { ...wire, error: { ...(wire.error as object), name: metadata.error } }
}

function gone(): IdentifierAnswer {
  const problem = { type: 'about:blank', title: 'The DID is deactivated', status: 410, code: 'did-deactivated' }
  return json(410, 'application/problem+json', problem)
}

function notAcceptable(offers: readonly string[]): object {
  return {
    type: 'https://www.w3.org/ns/did#REPRESENTATION_NOT_SUPPORTED',
    title: 'The DID document has no such representation',
    detail: `Known are ${[...new Set(offers)].join(', ')}`,
    code: 'did-representation-not-supported',
  }
}

function isJson(type: string): boolean {
  return jsonTypes.some((json) => json === type)
}

function json(status: number, contentType: string, body: object): IdentifierAnswer {
  return { status, contentType, body: Buffer.from(JSON.stringify(body)), location: null }
}

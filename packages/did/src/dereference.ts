import { isProblem, Problem } from '@tillit/problem'
import type { DIDDocument, Service, VerificationMethod } from 'did-resolver'
import { absoluteId, isMethod, signingRelationships } from './did-document.ts'
import { servicesOf } from './did-services.ts'
import { type ParsedDidUrl, parseDidUrl } from './parse-did.ts'
import { type DidErrorObject, type DidResolutionError, errorMetadata } from './resolution-error.ts'
import { type DidResolution, defaultContentType } from './resolution-result.ts'

const relationships = [...signingRelationships, 'keyAgreement'] as const
const documentTypes = ['application/did', 'application/did+json', 'application/did+ld+json']
/** RFC 2483 section 5: the selected service endpoints; the HTTP binding answers with a redirect to the first. */
const uriListType = 'text/uri-list'
/** Segments that lead up, encoded or not, and the backslash that URL parsers take for a slash. */
const dotSegments = /(^|\/)(\.|%2e){1,2}([/?#]|$)|\\/i
const versionParameters = ['versionId', 'versionTime', 'versionNumber']

/** A DID URL dereferencing result (W3C DID Resolution 1.0, section 5). `contentStream` of a `text/uri-list` is its URLs. */
export interface DidDereferencing {
  dereferencingMetadata: {
    contentType?: string
    error?: DidResolutionError
    problemDetails?: DidErrorObject
    [name: string]: unknown
  }
  contentStream: object | readonly string[] | null
  contentMetadata: Record<string, unknown>
}

export interface DereferenceOptions {
  /** A DID media type (the default) or `text/uri-list` for the endpoints of the selected services. */
  readonly accept?: string
  /** The relationship that the verification method named must have, for example `authentication`. */
  readonly verificationRelationship?: string
}

/**
 * Dereferences a DID URL within the result of resolving its DID: the document, a verification method or a service by
 * fragment, services by `service`, `serviceType` and `relativeRef`, and for did:webvh `/whois` and other paths, which lead
 * to URLs. Fetches nothing; what is wrong stands in the result.
 */
export function dereference(
  didUrl: string,
  resolution: DidResolution,
  options: DereferenceOptions = {},
): DidDereferencing {
  let url: ParsedDidUrl
  try {
    url = parseDidUrl(didUrl)
  } catch (error) {
    if (isProblem(error)) return failed(error, 'invalidDidUrl')
    throw error
  }
  const { didDocument: document, didResolutionMetadata: about, didDocumentMetadata: metadata } = resolution
  if (about.error !== undefined) {
    const { contentType: _, ...rest } = about
    return { dereferencingMetadata: rest, contentStream: null, contentMetadata: {} }
  }
  // A deactivated DID: nothing to dereference in, which is not an error (the HTTP binding says 410).
  if (document === null) return { dereferencingMetadata: {}, contentStream: null, contentMetadata: { ...metadata } }
  try {
    const contentType = about.contentType ?? defaultContentType
    return dereferenceIn(document, url, { ...options, contentType, metadata: { ...metadata } })
  } catch (error) {
    if (error instanceof DereferencingError) return failed(error.problem, error.error)
    if (isProblem(error)) return failed(error)
    throw error
  }
}

type Within = DereferenceOptions & { contentType: string; metadata: Record<string, unknown> }

/** An error that has a name of its own in DID Resolution and no code among ours. */
class DereferencingError extends Error {
  readonly error: DidResolutionError
  readonly problem: Problem

  constructor(error: DidResolutionError, problem: Problem) {
    super(problem.message)
    this.error = error
    this.problem = problem
  }
}

function dereferenceIn(document: DIDDocument, url: ParsedDidUrl, within: Within): DidDereferencing {
  const { path, query, fragment } = url
  if (query.has('service') || query.has('serviceType')) {
    if (path !== '') throw notFound('A DID URL has a path or names a service, not both')
    return dereferenceService(document, url, within)
  }
  const unknown = [...query.keys()].find((name) => !versionParameters.includes(name))
  if (unknown !== undefined) throw notFound('The DID URL has a parameter that is not known here')
  if (path !== '') return uriList([withFragment(pathUrl(document, url), fragment)])
  if (within.verificationRelationship !== undefined) return dereferenceMethod(document, fragment, within)
  if (fragment === null) return found(document, within.contentType, within.metadata)
  const id = `${document.id}#${fragment}`
  const part = [...methodsOf(document), ...servicesOf(document)].find((item) => absoluteId(document.id, item.id) === id)
  if (part === undefined) throw notFound('The DID document has nothing with this fragment')
  return found(asResource(document, part), within.contentType)
}

/** W3C DID Resolution 1.0, section 5.4.1, step 7. */
function dereferenceService(
  document: DIDDocument,
  { did, query, fragment }: ParsedDidUrl,
  within: Within,
): DidDereferencing {
  const name = query.get('service')
  const type = query.get('serviceType')
  const selected = servicesOf(document).filter(
    (service) =>
      (name === undefined || absoluteId(document.id, service.id) === serviceId(document.id, name)) &&
      (type === undefined || [service.type].flat().includes(type)),
  )
  if (selected.length === 0) throw notFound('The DID document has no such service')
  const relativeRef = query.get('relativeRef')
  const { accept } = within
  if (accept === uriListType || (accept === undefined && relativeRef !== undefined)) {
    const appends = did.method === 'webvh' && name === 'files'
    const urls = selected.flatMap(endpointsOf).map((endpoint) => {
      if (relativeRef === undefined) return endpoint
      return appends ? appendPath(endpoint, relativeRef) : resolveReference(endpoint, relativeRef)
    })
    if (urls.length === 0) throw notFound('The service has no endpoint that is a URL')
    return uriList(urls.map((url) => withFragment(url, fragment)))
  }
  if (accept !== undefined && !documentTypes.includes(accept))
    throw new Problem('did-representation-not-supported', {
      detail: `Known are ${[...documentTypes, uriListType].join(', ')}`,
    })
  return found({ ...document, service: selected }, within.contentType, within.metadata)
}

/** did:webvh v1.0, "DID URL Path Resolution": `/whois` is the `#whois` service, any other path is within `#files`. */
function pathUrl(document: DIDDocument, { did, path }: ParsedDidUrl): string {
  if (did.method !== 'webvh') throw notFound('Paths of DID URLs of this method lead nowhere')
  const name = path === '/whois' ? 'whois' : 'files'
  const service = servicesOf(document).find(({ id }) => absoluteId(document.id, id) === `${document.id}#${name}`)
  const [endpoint] = service === undefined ? [] : endpointsOf(service)
  if (endpoint === undefined || !/^https?:$/.test(new URL(endpoint).protocol))
    throw new Problem('invalid-did', { detail: `The service #${name} of the DID is at no URL that can be fetched` })
  return name === 'whois' ? endpoint : appendPath(endpoint, path)
}

/** W3C DID Resolution 1.0, section 5.4.2, step 1. */
function dereferenceMethod(document: DIDDocument, fragment: string | null, within: Within): DidDereferencing {
  const id = fragment === null ? null : `${document.id}#${fragment}`
  const method = methodsOf(document).find((candidate) => absoluteId(document.id, candidate.id) === id)
  if (method === undefined || !isMethod(method)) {
    const detail = 'The DID URL names no verification method'
    throw new DereferencingError('invalidVerificationMethod', new Problem('did-not-found', { detail }))
  }
  const relationship = relationships.find((name) => name === within.verificationRelationship)
  const listed = relationship === undefined ? [] : (document[relationship] ?? [])
  if (!listed.some((item) => absoluteId(document.id, typeof item === 'string' ? item : item.id) === id)) {
    const detail = 'The verification method does not have this relationship'
    throw new DereferencingError('invalidRelationship', new Problem('invalid-key', { detail }))
  }
  return found(asResource(document, method), within.contentType)
}

function methodsOf(document: DIDDocument): VerificationMethod[] {
  const embedded = relationships
    .flatMap((name): (string | VerificationMethod)[] => document[name] ?? [])
    .filter((item) => typeof item !== 'string')
  return [...(document.verificationMethod ?? []), ...embedded]
}

/** A part of the document as a resource of its own: with an absolute id, and the contexts that its terms are from. */
function asResource(document: DIDDocument, part: VerificationMethod | Service): object {
  const context = '@context' in document ? { '@context': document['@context'] } : {}
  return { ...context, ...part, id: absoluteId(document.id, part.id) }
}

function endpointsOf({ serviceEndpoint }: Service): string[] {
  const endpoints: unknown[] = [serviceEndpoint].flat()
  return endpoints.filter((endpoint): endpoint is string => typeof endpoint === 'string' && URL.canParse(endpoint))
}

/** RFC 3986 section 5, but never to another place: a DID must not lend its name to whatever a DID URL says. */
function resolveReference(endpoint: string, reference: string): string {
  if (dotSegments.test(reference) || !URL.canParse(reference, endpoint))
    throw invalidUrl('The relativeRef is no relative reference')
  const [base, target] = [new URL(endpoint), new URL(reference, endpoint)]
  if (target.protocol !== base.protocol || target.host !== base.host || target.username !== base.username)
    throw invalidUrl('The relativeRef leads away from the service')
  return target.href
}

function appendPath(endpoint: string, path: string): string {
  const base = new URL(endpoint)
  const [pathname = '', ...search] = path.split('?')
  if (dotSegments.test(pathname)) throw invalidUrl('The path leads out of the service')
  const whole = new URL(base.href)
  whole.pathname = `${base.pathname.replace(/\/$/, '')}/${pathname.replace(/^\/+/, '')}`
  if (search.length > 0) whole.search = search.join('?')
  return whole.href
}

/** W3C DID Resolution 1.0, section 5.4.2, step 2. */
function withFragment(url: string, fragment: string | null): string {
  if (fragment === null) return url
  if (url.includes('#')) throw invalidUrl('The service endpoint has a fragment of its own')
  return `${url}#${fragment}`
}

function serviceId(did: string, name: string): string {
  return name.startsWith('did:') ? name : absoluteId(did, name.startsWith('#') ? name : `#${name}`)
}

function found(content: object, contentType: string, metadata: Record<string, unknown> = {}): DidDereferencing {
  return { dereferencingMetadata: { contentType }, contentStream: content, contentMetadata: metadata }
}

function uriList(urls: readonly string[]): DidDereferencing {
  return { dereferencingMetadata: { contentType: uriListType }, contentStream: urls, contentMetadata: {} }
}

function failed(problem: Problem, error?: DidResolutionError): DidDereferencing {
  const metadata = error === undefined ? errorMetadata(problem) : errorMetadata(problem, error)
  return { dereferencingMetadata: { ...metadata }, contentStream: null, contentMetadata: {} }
}

function notFound(detail: string): Problem {
  return new Problem('did-not-found', { detail })
}

function invalidUrl(detail: string): DereferencingError {
  return new DereferencingError('invalidDidUrl', new Problem('invalid-did', { detail }))
}

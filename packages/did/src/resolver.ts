import { parseJson } from '@tillit/codec'
import { isProblem, Problem } from '@tillit/problem'
import type { DIDDocument, DIDResolutionOptions, ParsedDID, ResolverRegistry } from 'did-resolver'
import { type DereferenceOptions, type DidDereferencing, dereference } from './dereference.ts'
import { checkDocument } from './did-document.ts'
import { didJwkDocument } from './did-jwk.ts'
import { didKeyDocument } from './did-key.ts'
import { webLocation, webvhLocation, webvhWitnessLocation } from './did-location.ts'
import { maxDidLogCharacters, parseDidLog } from './did-log.ts'
import { type ParsedDid, parseDidUrl } from './parse-did.ts'
import { type DidResolution, defaultContentType, resolved, resolvedVersion, unresolved } from './resolution-result.ts'
import { resolveVersion, type VersionQuery } from './resolve-webvh.ts'
import { maxWitnessFileCharacters, parseDidWitnessFile, type WitnessProofs } from './witness-file.ts'

export type { DidResolution } from './resolution-result.ts'

/** Largest `did.json` of a foreign host, in bytes. */
const maxDocumentBytes = 256 * 1024
const fetchTimeoutMilliseconds = 5_000

const contentTypes = ['application/did+ld+json', 'application/did+json', 'application/did']
const versionParameters = ['versionId', 'versionTime', 'versionNumber']

/**
 * Gets a text from a foreign host, or null when the host says there is none (404, 410). Whoever implements it decides which
 * hosts may be asked, follows no redirect to another, keeps the limits, and throws Problem did-resolution-failed otherwise.
 */
export type FetchText = (
  url: URL,
  limits: { readonly maxBytes: number; readonly timeoutMilliseconds: number },
) => Promise<string | null>

export interface ResolverPorts {
  /** The `did.jsonl` of a DID that is hosted here, or null. */
  readonly webvhLog: (did: string) => Promise<string | null>
  /** The `did-witness.json` of a DID that is hosted here, or null. Asked for only where the log names witnesses. */
  readonly webvhWitness: (did: string) => Promise<string | null>
  /** null: foreign hosts are never asked. */
  readonly fetchText: FetchText | null
  readonly now: () => Date
}

export interface ResolveOptions extends VersionQuery {
  /** One of the DID media types; any by default. */
  readonly accept?: string
}

export interface DidResolver {
  /** The same methods for `new Resolver(registry)` of did-resolver. */
  readonly registry: ResolverRegistry
  resolve(did: string, options?: ResolveOptions): Promise<DidResolution>
  dereference(didUrl: string, options?: DereferenceOptions & VersionQuery): Promise<DidDereferencing>
}

/**
 * Resolves did:key, did:jwk, did:web and did:webvh. `resolve` takes a DID, or a DID URL with a version in its query;
 * `dereference` takes any DID URL. Both put what is wrong with it into the result and throw only what a port throws and is
 * no Problem.
 */
export function createResolver(ports: ResolverPorts): DidResolver {
  const resolve = async (did: string, options: ResolveOptions = {}): Promise<DidResolution> => {
    try {
      return await resolveUrl(did, options, ports)
    } catch (error) {
      if (isProblem(error)) return unresolved(error)
      throw error
    }
  }
  const method = (_did: string, parsed: ParsedDID, _resolver: unknown, options: DIDResolutionOptions) =>
    resolve(parsed.didUrl, pickOptions(options))
  // Without a prototype, so that did:constructor is no method.
  const registry: ResolverRegistry = Object.create(null)
  return {
    registry: Object.assign(registry, { key: method, jwk: method, web: method, webvh: method }),
    resolve,
    dereference: async (didUrl, { accept, verificationRelationship, ...version } = {}) =>
      dereference(didUrl, await resolve(resolvableUrl(didUrl), version), {
        ...(accept === undefined ? {} : { accept }),
        ...(verificationRelationship === undefined ? {} : { verificationRelationship }),
      }),
  }
}

/** The DID of a DID URL, with the version that its query asks for. A text that is no DID URL stays as it is, and is refused. */
export function resolvableUrl(didUrl: string): string {
  try {
    const { did, query } = parseDidUrl(didUrl)
    const version = versionParameters.flatMap((name) => {
      const value = query.get(name)
      return value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`]
    })
    return version.length === 0 ? did.did : `${did.did}?${version.join('&')}`
  } catch (error) {
    if (isProblem(error)) return didUrl
    throw error
  }
}

async function resolveUrl(url: string, options: ResolveOptions, ports: ResolverPorts): Promise<DidResolution> {
  const { did, path, query } = parseDidUrl(url)
  // Resolving gives documents; a path names something else, which must not be mistaken for one. A fragment is left to the caller.
  if (path !== '') throw new Problem('did-not-found', { detail: 'Paths of DID URLs are not resolved here' })
  const version = { ...options, ...versionOf(query) }
  const contentType = acceptedType(options.accept)
  const result = await resolveParsed(did, version, ports)
  result.didResolutionMetadata.contentType = contentType
  return result
}

async function resolveParsed(did: ParsedDid, version: VersionQuery, ports: ResolverPorts): Promise<DidResolution> {
  if (did.method === 'webvh') return resolveWebvh(did.did, version, ports)
  if (did.method === 'other')
    throw new Problem('did-method-not-supported', { detail: `The method ${did.name} is not supported` })
  if (version.versionId !== undefined || version.versionTime !== undefined || version.versionNumber !== undefined)
    throw new Problem('did-not-found', { detail: `A did:${did.method} has no versions` })
  if (did.method === 'web') return resolved(await readWebDocument(did.did, ports))
  return resolved(did.method === 'key' ? didKeyDocument(did.value) : didJwkDocument(did.value))
}

async function resolveWebvh(did: string, version: VersionQuery, ports: ResolverPorts): Promise<DidResolution> {
  const hosted = await ports.webvhLog(did)
  const text = hosted ?? (await fetchForeign(webvhLocation(did), maxDidLogCharacters, ports))
  const witnessProofs = async (): Promise<WitnessProofs[]> => {
    const file =
      hosted === null
        ? await fetchOrNull(webvhWitnessLocation(did), maxWitnessFileCharacters, ports)
        : await ports.webvhWitness(did)
    return file === null ? [] : parseDidWitnessFile(file)
  }
  return resolvedVersion(
    did,
    await resolveVersion(did, parseDidLog(text), { ...version, now: ports.now(), witnessProofs }),
  )
}

async function readWebDocument(did: string, ports: ResolverPorts): Promise<DIDDocument> {
  const document = parseJson(await fetchForeign(webLocation(did), maxDocumentBytes, ports))
  if (typeof document !== 'object' || document === null || Array.isArray(document) || document.id !== did)
    throw new Problem('invalid-did', { detail: 'The document is not that of the DID' })
  return checkDocument(document)
}

async function fetchForeign(url: URL, maxBytes: number, ports: ResolverPorts): Promise<string> {
  const text = await fetchOrNull(url, maxBytes, ports)
  if (text === null) throw new Problem('did-not-found')
  return text
}

async function fetchOrNull(url: URL, maxBytes: number, { fetchText }: ResolverPorts): Promise<string | null> {
  if (fetchText === null)
    throw new Problem('did-not-found', { detail: 'The DID is not hosted here, and other hosts are not asked' })
  return fetchText(url, { maxBytes, timeoutMilliseconds: fetchTimeoutMilliseconds })
}

function versionOf(query: ReadonlyMap<string, string>): VersionQuery {
  for (const name of query.keys()) {
    if (!versionParameters.includes(name))
      throw new Problem('invalid-request', { detail: 'The DID URL has a parameter that is not known here' })
  }
  const versionId = query.get('versionId')
  const versionTime = query.get('versionTime')
  const versionNumber = query.get('versionNumber')
  if (versionNumber !== undefined && !/^(0|[1-9][0-9]{0,8})$/.test(versionNumber))
    throw new Problem('invalid-request', { detail: 'The versionNumber is not a number' })
  return {
    ...(versionId === undefined ? {} : { versionId }),
    ...(versionTime === undefined ? {} : { versionTime }),
    ...(versionNumber === undefined ? {} : { versionNumber: Number(versionNumber) }),
  }
}

function acceptedType(accept: string | undefined): string {
  if (accept === undefined || accept === '*/*') return defaultContentType
  if (!contentTypes.includes(accept))
    throw new Problem('did-representation-not-supported', { detail: `Known are ${contentTypes.join(', ')}` })
  return accept
}

/** did-resolver's options are open; only ours are taken from them, and only when they have the right type. */
function pickOptions({ accept, versionId, versionTime, versionNumber }: DIDResolutionOptions): ResolveOptions {
  return {
    ...(typeof accept === 'string' ? { accept } : {}),
    ...(typeof versionId === 'string' ? { versionId } : {}),
    ...(typeof versionTime === 'string' ? { versionTime } : {}),
    ...(typeof versionNumber === 'number' ? { versionNumber } : {}),
  }
}

import { verifyWatcherRequest, type WatcherRequest, webvhFolder } from '@tillit/did'
import { Problem } from '@tillit/problem'
import type { DidStore } from './did-store.ts'
import type { RegistryPorts } from './ports.ts'
import type { WatchedDid, WatchStore } from './watch-store.ts'
import type { WatchedResource, WatchedResourceStore } from './watched-resource-store.ts'

/** A document, a schema, a small image. */
const maxResourceBytes = 256 * 1024
const limits = { perDid: 32, totalBytes: 256 * 1024 * 1024 }
const fetchTimeoutMilliseconds = 5_000
/** What is told of the media type: type and subtype (RFC 9110 section 8.3.1), without parameters. */
const mediaTypePattern = /^[a-z0-9!#$&^_.+-]{1,64}\/[a-z0-9!#$&^_.+-]{1,64}(?=$|[ ;])/

export interface WatcherRequestParts {
  readonly watched: WatchStore
  readonly resources: WatchedResourceStore
  readonly store: Pick<DidStore, 'readListedHead'>
  readonly ports: Pick<RegistryPorts, 'now' | 'didHost' | 'fetchBytes'>
}

/**
 * What controllers ask of this watcher (did:webvh v1.0, "Watcher HTTP API Operations"). Each is proved with an update key of
 * the DID, as its newest version that is kept here names them. All throw Problem did-not-found for a DID that is not watched
 * here, conflict for one that lives here, invalid-proof, role-required.
 */
export interface WatcherRequests {
  /** Throws Problem conflict when the host shows another history: the copy is evidence then, and whoever has the key now may be a thief. */
  deleteLog(scid: string, request: WatcherRequest): Promise<void>
  /** Fetches the resource from the DID's host. Throws Problem not-found, feature-not-supported, storage-full, did-resolution-failed. */
  takeResource(place: ResourcePlace, request: WatcherRequest): Promise<void>
  /** Throws Problem not-found. */
  deleteResource(place: ResourcePlace, request: WatcherRequest): Promise<void>
}

export interface ResourcePlace {
  readonly scid: string
  /** As in the query: with or without a slash before it. */
  readonly path: string
}

export function createWatcherRequests(parts: WatcherRequestParts): WatcherRequests {
  const { watched, resources, ports } = parts
  return {
    deleteLog: async (scid, request) => {
      await authorised(scid, request, parts)
      if (!(await watched.remove(scid)))
        throw new Problem('conflict', {
          detail: 'The DID’s host has shown another history, so what is kept here is evidence',
        })
    },
    takeResource: async ({ scid, path }, request) => {
      const kept = await authorised(scid, request, parts)
      const resource = await fetchResource(kept, resourcePath(path), ports)
      if (!(await resources.put(resource, { ...limits, fetchedAt: ports.now() })))
        throw new Problem('storage-full', { detail: 'No more resources of the DID are kept here' })
    },
    deleteResource: async ({ scid, path }, request) => {
      await authorised(scid, request, parts)
      if (!(await resources.remove(scid, resourcePath(path)))) throw new Problem('not-found')
    },
  }
}

/** The path below the DID's folder. Throws Problem invalid-request for one that leads anywhere else. */
export function resourcePath(path: string): string {
  const segments = path.replace(/^\//, '').split('/')
  if (!segments.every((segment) => /^[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,127}$/.test(segment)))
    throw new Problem('invalid-request', {
      detail: 'The path of a resource is letters, digits, dash, dot, tilde and underscore, in segments',
      pointer: '/path',
    })
  return segments.join('/')
}

async function authorised(
  scid: string,
  request: WatcherRequest,
  { watched, store, ports }: WatcherRequestParts,
): Promise<WatchedDid> {
  if ((await store.readListedHead(scid)) !== null)
    throw new Problem('conflict', { detail: 'The DID lives here: this is its log and no copy' })
  const kept = await watched.find(scid)
  if (kept === null) throw new Problem('did-not-found')
  verifyWatcherRequest(request, {
    scid,
    isOwnDomain: (domain) => isWatcherAt(ports.didHost, domain),
    updateKeys: kept.updateKeys,
    now: ports.now(),
  })
  return kept
}

/** The URL of this watcher, or of the city that it is a part of. */
function isWatcherAt(host: string, domain: string): boolean {
  if (!URL.canParse(domain)) return false
  const url = new URL(domain)
  const isWeb = url.protocol === 'https:' || url.protocol === 'http:'
  return isWeb && url.host === host && /^\/(watcher\/?)?$/.test(url.pathname) && `${url.search}${url.hash}` === ''
}

async function fetchResource(
  { did, scid }: WatchedDid,
  path: string,
  { fetchBytes }: Pick<RegistryPorts, 'fetchBytes'>,
): Promise<WatchedResource> {
  if (fetchBytes === undefined) throw new Problem('feature-not-supported', { detail: 'No resources are kept here' })
  const found = await fetchBytes(new URL(path, webvhFolder(did)), {
    maxBytes: maxResourceBytes,
    timeoutMilliseconds: fetchTimeoutMilliseconds,
  })
  // What was kept before stays: that a host took it away is what watchers are for.
  if (found === null) throw new Problem('not-found', { detail: 'The DID’s host has no such resource' })
  const [mediaType = 'application/octet-stream'] = mediaTypePattern.exec(found.contentType?.toLowerCase() ?? '') ?? []
  return { scid, path, mediaType, content: found.bytes }
}

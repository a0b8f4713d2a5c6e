import {
  type DidResolution,
  type DidState,
  parseDidUrl,
  pickVersion,
  resolvedVersion,
  type VersionQuery,
} from '@tillit/did'
import { isProblem, Problem } from '@tillit/problem'
import type { DidReader } from './did-store.ts'
import type { RegistryPorts } from './ports.ts'
import type { VerifiedLogs } from './verified-logs.ts'

/** Resolves the DIDs that live here from the database, never from memory alone: what was committed a moment ago counts. */
export interface HostedDids {
  /** The DID of a DID URL when it is one that this registry would serve; then no other host is ever asked for it. */
  hostedIn(didUrl: string): string | null
  /** Throws Problem did-not-found, invalid-request. An erased DID resolves as a deactivated one, without its history. */
  resolve(did: string, version: VersionQuery): Promise<DidResolution>
}

export function createHostedDids(
  parts: { store: DidReader; logs: VerifiedLogs },
  { didHost }: Pick<RegistryPorts, 'didHost'>,
): HostedDids {
  return {
    hostedIn: (didUrl) => hostedAt(didHost, didUrl),
    resolve: (did, version) => resolveHosted(did, version, parts),
  }
}

async function resolveHosted(
  did: string,
  version: VersionQuery,
  { store, logs }: { store: DidReader; logs: VerifiedLogs },
): Promise<DidResolution> {
  const head = await store.readHead(did)
  if (head === null) {
    if ((await store.readErased([did])).has(did)) return erased()
    throw new Problem('did-not-found', { detail: 'The DID is not registered here' })
  }
  const states = (await logs.statesOf(head)).slice(0, head.publishedVersion)
  const latest = states.at(-1)
  if (latest === undefined) throw new Problem('did-not-found', { detail: 'The DID still waits for its witnesses' })
  return resolvedVersion(did, { version: pick(states, version), latest })
}

function pick(states: readonly DidState[], query: VersionQuery): DidState {
  const version = pickVersion(states, query)
  if (version === undefined) throw new Problem('did-not-found', { detail: 'The DID has no such version' })
  return version
}

function erased(): DidResolution {
  return {
    '@context': 'https://w3id.org/did-resolution/v1',
    didDocument: null,
    didResolutionMetadata: {},
    didDocumentMetadata: { deactivated: true },
  }
}

function hostedAt(didHost: string, didUrl: string): string | null {
  try {
    const { did } = parseDidUrl(didUrl)
    if (did.method !== 'webvh') return null
    const { host, port } = did.place
    return `${host}${port === null ? '' : `:${port}`}` === didHost ? did.did : null
  } catch (error) {
    if (isProblem(error)) return null
    throw error
  }
}

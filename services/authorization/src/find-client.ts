import { type DIDDocument, type VerificationKey, verificationKeys } from '@tillit/did'
import { toPublicJwk } from '@tillit/keys'
import type { DidResolutionResult } from '@tillit/schemas'
import type { AdapterPayload } from 'oidc-provider'
import type { Store } from './store.ts'

/** Only methods whose resolution reaches our own registry or nothing at all: a client_id must never make us call a stranger. */
const allowedClientId = /^did:(?:webvh|key|jwk):[A-Za-z0-9._:%-]+$/
const maxClientIdCharacters = 1024
const resolutionTimeoutMilliseconds = 2000
/** A rotated key works, and a removed one stops working, within this time. */
const keysCachedMilliseconds = 5000
const maxCachedDids = 1000

export type CallerKind = 'organisation' | 'device' | 'customer'

export interface FindClientPorts {
  store: Store
  resolveDid(did: string): Promise<DidResolutionResult>
  now(): Date
  log(message: string, error: unknown): void
}

/**
 * Gives the client behind a DID as client metadata (RFC 7591), or undefined, which the provider answers with invalid_client. Standing is
 * asked anew each time, so a suspension counts at once; the document's keys are remembered for 5 s, failures too.
 */
export function createFindClient(ports: FindClientPorts): (clientId: string) => Promise<AdapterPayload | undefined> {
  const cache = new Map<string, { until: number; keys: Promise<VerificationKey[]> }>()

  const keysOf = (did: string): Promise<VerificationKey[]> => {
    const now = ports.now().getTime()
    const cached = cache.get(did)
    if (cached && cached.until > now) return cached.keys
    cache.delete(did)
    const oldest = cache.keys().next()
    if (cache.size >= maxCachedDids && !oldest.done) cache.delete(oldest.value)
    const keys = resolveKeys(did, ports)
    cache.set(did, { until: now + keysCachedMilliseconds, keys })
    return keys
  }

  return async (clientId) => {
    if (clientId.length > maxClientIdCharacters || !allowedClientId.test(clientId)) return undefined
    const kind = await standing(clientId, ports.store)
    if (!kind) return undefined
    const keys = await keysOf(clientId)
    return keys.length === 0 ? undefined : clientMetadata(clientId, kind, keys)
  }
}

async function standing(did: string, store: Store): Promise<CallerKind | undefined> {
  if (await store.isActiveParty(did)) return 'organisation'
  if (await store.isActiveDevice(did)) return 'device'
  return undefined
}

/** Never rejects: a client whose keys cannot be had is no client, and the log says why. */
async function resolveKeys(did: string, ports: FindClientPorts): Promise<VerificationKey[]> {
  try {
    const { didDocument, didDocumentMetadata, didResolutionMetadata } = await withinTime(ports.resolveDid(did))
    if (!didDocument || didDocument.id !== did || didDocumentMetadata.deactivated === true) {
      throw new Error(`no document to trust: ${String(didResolutionMetadata.error ?? 'deactivated or of another DID')}`)
    }
    // A malformed document throws here, a weak key too: such a client is none.
    return verificationKeys(didDocument as unknown as DIDDocument, 'authentication')
  } catch (error) {
    ports.log('a client did not resolve', error)
    return []
  }
}

async function withinTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('the DID was not resolved in time')), resolutionTimeoutMilliseconds)
  })
  try {
    return await Promise.race([work, timeout])
  } finally {
    clearTimeout(timer)
  }
}

function clientMetadata(clientId: string, kind: CallerKind, keys: VerificationKey[]): AdapterPayload {
  return {
    client_id: clientId,
    caller_kind: kind,
    token_endpoint_auth_method: 'private_key_jwt',
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: [],
    dpop_bound_access_tokens: true,
    jwks: { keys: keys.map(({ id, key }) => ({ ...toPublicJwk(key), kid: id, use: 'sig' })) },
  }
}

import { type DIDDocument, type VerificationKey, verificationKeys } from '@tillit/did'
import { toPublicJwk } from '@tillit/keys'
import type { DidResolutionResult } from '@tillit/schemas'
import type { AdapterPayload } from 'oidc-provider'
import { credentialDetailsType } from './credential-details.ts'
import type { Store } from './store.ts'

/** Only methods that need no host, or one that the operator has listed: a client_id must never make us call a stranger. */
const allowedClientId = /^did:(?:webvh|key|jwk):[A-Za-z0-9._:%-]+$/
const maxClientIdCharacters = 1024
const resolutionTimeoutMilliseconds = 2000
/** A rotated key works, and a removed one stops working, within this time. */
const keysCachedMilliseconds = 5000
const maxCachedDids = 1000

export type CallerKind = 'organisation' | 'device' | 'customer'

export interface FindClientPorts {
  store: Store
  /** `fresh`: ask a foreign host again, at a bounded rate, although there is an answer. */
  resolveDid(did: string, options?: { readonly fresh?: boolean }): Promise<DidResolutionResult>
  now(): Date
  log(message: string, error: unknown): void
}

/**
 * Gives the client behind a DID as client metadata (RFC 7591), or undefined, which the provider answers with invalid_client. Standing is
 * asked anew each time, so a suspension counts at once; the document's keys are remembered for 5 s, failures too. Where the
 * client signs with a key (`keyId`) that is not among them, they are asked for once more: a foreign DID may have rotated it.
 */
export function createFindClient(
  ports: FindClientPorts,
): (clientId: string, keyId?: string) => Promise<AdapterPayload | undefined> {
  const cache = new Map<string, { until: number; fresh: boolean; keys: Promise<VerificationKey[]> }>()

  const keysOf = async (did: string, keyId: string | undefined): Promise<VerificationKey[]> => {
    const now = ports.now().getTime()
    const cached = cache.get(did)
    const current = cached !== undefined && cached.until > now ? cached : ask(did, { now, fresh: false })
    const keys = await current.keys
    // A DID that does not resolve is not asked for twice in one request.
    if (current.fresh || keyId === undefined || keys.length === 0 || keys.some(({ id }) => id === keyId)) return keys
    return ask(did, { now, fresh: true }).keys
  }

  const ask = (did: string, { now, fresh }: { now: number; fresh: boolean }) => {
    cache.delete(did)
    const oldest = cache.keys().next()
    if (cache.size >= maxCachedDids && !oldest.done) cache.delete(oldest.value)
    const asked = { until: now + keysCachedMilliseconds, fresh, keys: resolveKeys(did, { fresh, ...ports }) }
    cache.set(did, asked)
    return asked
  }

  return async (clientId, keyId) => {
    if (clientId.length > maxClientIdCharacters || !allowedClientId.test(clientId)) return undefined
    const kind = await standing(clientId, ports.store)
    if (!kind) return undefined
    const keys = await keysOf(clientId, keyId)
    return keys.length === 0 ? undefined : clientMetadata(clientId, kind, keys)
  }
}

/** What a DID is here: an active party or an active device, else undefined. */
export async function standing(did: string, store: Store): Promise<CallerKind | undefined> {
  if (await store.isActiveParty(did)) return 'organisation'
  if (await store.isActiveDevice(did)) return 'device'
  return undefined
}

/** Never rejects: a client whose keys cannot be had is no client, and the log says why. */
async function resolveKeys(
  did: string,
  { fresh, ...ports }: FindClientPorts & { fresh: boolean },
): Promise<VerificationKey[]> {
  try {
    const resolution = await withinTime(ports.resolveDid(did, { fresh }))
    const { didDocument, didDocumentMetadata, didResolutionMetadata } = resolution
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
    authorization_details_types: [credentialDetailsType],
    jwks: { keys: keys.map(({ id, key }) => ({ ...toPublicJwk(key), kid: id, use: 'sig' })) },
  }
}

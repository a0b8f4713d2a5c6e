import { type ParsedJws, parseJws, type Signer, signJws, verifyJws } from '@tillit/keys'
import { isProblem, Problem } from '@tillit/problem'
import { type ResolveDid, resolveKey, withFreshKeys } from './resolve-key.ts'
import { refuseUnlessRecent } from './status-freshness.ts'

const statementType = 'key-compromise+jwt'
const listType = 'compromised-keys+jwt'

/** A key of a DID that somebody else may hold: nothing that it signed is believed, whenever it says that it did. */
export interface CompromisedKey {
  did: string
  /** RFC 7638 thumbprint. */
  jkt: string
}

/**
 * States that a key is compromised. Whoever controls the DID says so with a key that it has now (the compromised one itself
 * may: it only takes trust away), or the registrar does.
 */
export function signKeyCompromise(
  { did, jkt }: CompromisedKey,
  by: { did: string; keyId: string; signer: Signer; now: Date },
): Promise<string> {
  const payload = { iss: by.did, sub: did, jkt, iat: Math.floor(by.now.getTime() / 1000) }
  return signJws({ typ: statementType, kid: by.keyId }, payload, by.signer)
}

/**
 * Verifies such a statement under the keys that its signer has now. Throws Problem invalid-proof, role-required (of another
 * DID, and not from the registrar), statement-expired, invalid-signature and what resolving throws.
 */
export async function verifyKeyCompromise(
  statement: string,
  options: { resolveDid: ResolveDid; rootDid: string; now: Date; maxAgeSeconds: number },
): Promise<CompromisedKey & { statedBy: string }> {
  const { header, payload } = parse(statement, 'invalid-proof')
  const { iss, sub, jkt, iat } = payload
  if (typeof iss !== 'string' || typeof sub !== 'string' || typeof jkt !== 'string' || typeof iat !== 'number') {
    throw new Problem('invalid-proof', { detail: 'The statement names signer, DID, key and time' })
  }
  if (!/^[A-Za-z0-9_-]{43}$/.test(jkt)) throw new Problem('invalid-proof', { detail: 'jkt is no JWK thumbprint' })
  if (iss !== sub && iss !== options.rootDid) {
    throw new Problem('role-required', { detail: 'Only the controller of a DID and the registrar report its keys' })
  }
  if (!(Math.abs(options.now.getTime() / 1000 - iat) <= options.maxAgeSeconds)) throw new Problem('statement-expired')
  await withFreshKeys(options.resolveDid, async (resolveDid) => {
    const key = await resolveKey(iss, header.kid, { resolveDid, relationship: 'assertionMethod' })
    verifyJws(statement, key, { typ: statementType })
  })
  return { did: sub, jkt, statedBy: iss }
}

export interface CompromisedKeyListIssuance {
  issuerDid: string
  keyId: string
  signer: Signer
  keys: readonly CompromisedKey[]
  issuedAt: Date
  expires: Date
  ttlSeconds: number
}

/** Signs the list of all compromised keys that a trust registry knows, so that a verifier who is offline can have it. */
export function signCompromisedKeys(issuance: CompromisedKeyListIssuance): Promise<string> {
  const { issuerDid, keyId, signer, keys, issuedAt, expires, ttlSeconds } = issuance
  const payload = {
    iss: issuerDid,
    iat: Math.floor(issuedAt.getTime() / 1000),
    exp: Math.floor(expires.getTime() / 1000),
    ttl: ttlSeconds,
    keys: keys.map(({ did, jkt }) => ({ did, jkt })),
  }
  return signJws({ typ: listType, kid: keyId }, payload, signer)
}

/** Tells whether a key is compromised; throws when that cannot be known. */
export type KeyIsCompromised = (did: string, jkt: string) => Promise<boolean>

/**
 * Verifies such a list. Throws Problem invalid-status-list, untrusted-issuer, invalid-signature, status-unknown (outside its
 * time) and what resolving the key throws.
 */
export async function verifyCompromisedKeys(
  list: string,
  options: { issuerDids: readonly string[]; resolveDid: ResolveDid; now: Date; maxAgeSeconds?: number },
): Promise<{ isCompromised: KeyIsCompromised; asOf: Date }> {
  const { header, payload } = parse(list, 'invalid-status-list')
  const { iss, iat, exp, keys } = payload
  if (typeof iss !== 'string' || !options.issuerDids.includes(iss)) {
    throw new Problem('untrusted-issuer', { detail: 'The list of compromised keys is from another issuer' })
  }
  await withFreshKeys(options.resolveDid, async (resolveDid) => {
    const key = await resolveKey(iss, header.kid, { resolveDid, relationship: 'assertionMethod' })
    verifyJws(list, key, { typ: listType })
  })
  if (typeof iat !== 'number' || typeof exp !== 'number' || !Array.isArray(keys)) {
    throw new Problem('invalid-status-list', { detail: 'The list of compromised keys is not well formed' })
  }
  const asOf = new Date(iat * 1000)
  refuseUnlessRecent({ issuedAt: asOf, expires: new Date(exp * 1000) }, options)
  const known = new Set(
    keys.map((key) => {
      if (key === null || typeof key !== 'object' || Array.isArray(key)) {
        throw new Problem('invalid-status-list', { detail: 'A compromised key is named by DID and thumbprint' })
      }
      return nameOf(String(key.did), String(key.jkt))
    }),
  )
  return { isCompromised: async (did, jkt) => known.has(nameOf(did, jkt)), asOf }
}

/** A KeyIsCompromised that fetches the list for each question; put a cache no longer than its `ttl` in front of `fetchList`. */
export function compromisedKeysReader(
  options: Omit<Parameters<typeof verifyCompromisedKeys>[1], 'now'> & {
    fetchList: () => Promise<string>
    now: () => Date
  },
): KeyIsCompromised {
  return async (did, jkt) => {
    const { isCompromised } = await verifyCompromisedKeys(await options.fetchList(), { ...options, now: options.now() })
    return isCompromised(did, jkt)
  }
}

function nameOf(did: string, jkt: string): string {
  return `${did} ${jkt}`
}

function parse(jws: string, code: 'invalid-proof' | 'invalid-status-list'): ParsedJws {
  try {
    return parseJws(jws)
  } catch (cause) {
    if (isProblem(cause, 'invalid-jws')) throw new Problem(code, { detail: cause.message, cause })
    throw cause
  }
}

import type { Json } from '@tillit/codec'
import { Problem } from '@tillit/problem'

/** One parsed disclosure: of an object member (with its name) or of an array element (name null). */
export interface Disclosure {
  /** base64url of SHA-256 over the disclosure as sent. */
  digest: string
  name: string | null
  value: Json
}

interface Unpacking {
  byDigest: Map<string, Disclosure>
  seen: Set<string>
  used: Set<string>
}

/**
 * Puts disclosures in the places of their digests (RFC 9901 section 7.1, step 3). Throws Problem invalid-credential when a
 * digest or disclosure stands twice, a disclosure belongs nowhere, or one would overwrite a claim.
 */
export function applyDisclosures(
  payload: { readonly [name: string]: Json },
  disclosures: Disclosure[],
): { claims: { [name: string]: Json }; disclosed: Set<string> } {
  const { _sd_alg: algorithm, ...rest } = payload
  if (algorithm !== undefined && algorithm !== 'sha-256') throw fault('Only the digest sha-256 is accepted')
  const unpacking: Unpacking = { byDigest: new Map(), seen: new Set(), used: new Set() }
  for (const disclosure of disclosures) {
    if (unpacking.byDigest.has(disclosure.digest)) throw fault('A disclosure stands twice')
    unpacking.byDigest.set(disclosure.digest, disclosure)
  }
  const claims = unpackObject(rest, unpacking)
  // Step 5: a disclosure that nothing refers to is not the issuer's.
  if (unpacking.used.size !== disclosures.length) throw fault('A disclosure does not belong to this credential')
  return { claims, disclosed: new Set(Object.keys(claims).filter((name) => !Object.hasOwn(rest, name))) }
}

function unpack(value: Json, unpacking: Unpacking): Json {
  if (Array.isArray(value)) return value.flatMap((element) => unpackElement(element, unpacking))
  if (value !== null && typeof value === 'object') return unpackObject(value, unpacking)
  return value
}

function unpackObject(object: { readonly [name: string]: Json }, unpacking: Unpacking): { [name: string]: Json } {
  const { _sd: digests = [], ...members } = object
  const unpacked: { [name: string]: Json } = {}
  for (const [name, value] of Object.entries(members)) {
    if (name === '...') throw fault('A digest stands where a claim belongs')
    unpacked[name] = unpack(value, unpacking)
  }
  if (!Array.isArray(digests)) throw fault('_sd is not an array')
  for (const digest of digests) {
    const disclosure = take(digest, unpacking)
    if (!disclosure) continue
    if (disclosure.name === null) throw fault('An array element is disclosed as a claim')
    if (['_sd', '...', '_sd_alg', '__proto__'].includes(disclosure.name))
      throw fault('A disclosure has a reserved name')
    if (Object.hasOwn(unpacked, disclosure.name)) throw fault('A disclosure overwrites a claim')
    unpacked[disclosure.name] = unpack(disclosure.value, unpacking)
  }
  return unpacked
}

/** An element is a plain value, or a digest that gives way to its disclosure, or to nothing. */
function unpackElement(element: Json, unpacking: Unpacking): Json[] {
  if (element === null || typeof element !== 'object' || Array.isArray(element) || !Object.hasOwn(element, '...')) {
    return [unpack(element, unpacking)]
  }
  if (Object.keys(element).length !== 1) throw fault('A digest in an array stands beside other members')
  const disclosure = take(element['...'], unpacking)
  if (!disclosure) return []
  if (disclosure.name !== null) throw fault('A claim is disclosed as an array element')
  return [unpack(disclosure.value, unpacking)]
}

function take(digest: Json | undefined, unpacking: Unpacking): Disclosure | undefined {
  if (typeof digest !== 'string') throw fault('A digest is not text')
  if (unpacking.seen.has(digest)) throw fault('A digest stands twice')
  unpacking.seen.add(digest)
  const disclosure = unpacking.byDigest.get(digest)
  if (disclosure) unpacking.used.add(digest)
  return disclosure
}

function fault(detail: string): Problem {
  return new Problem('invalid-credential', { detail })
}

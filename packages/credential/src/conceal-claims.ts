import { base64urlOfText, digestOfText, type Json, toBase64url } from '@tillit/codec'
import { Problem } from '@tillit/problem'

/** RFC 9901 section 9.3: at least 128 bits for each salt. A multiple of three bytes, so that many are encoded as one text. */
const saltBytes = 18
const saltCharacters = 24

/**
 * Where a claim stands: names of members, indexes of array elements, null for all elements of an array (SD-JWT VC Type
 * Metadata, section 4.6.1).
 */
export type ClaimPath = readonly (string | number | null)[]

export interface Concealment {
  /** Claims that the holder may leave out. A claim within one that may be left out is concealed on its own, inside it. */
  disclosable: readonly ClaimPath[]
  /** Digests of nothing among those at the top, so that their number does not tell what there is (RFC 9901 section 4.2.7). */
  decoys: number
  randomBytes: (length: number) => Uint8Array
}

export interface ConcealedClaims {
  /** The claims with digests where disclosable ones were; `_sd_alg` is not in it. */
  payload: { [name: string]: Json }
  /** The disclosures as they are sent. */
  disclosures: string[]
}

/**
 * Replaces claims by digests (RFC 9901 section 4.2). Digests are sorted, so that their order does not tell what stands behind
 * them. Throws Problem invalid-credential for a claim named `_sd`, `_sd_alg` or `...`.
 */
export function concealClaims(claims: { readonly [name: string]: Json }, concealment: Concealment): ConcealedClaims {
  refuseReservedNames(claims)
  const work: Work = { disclosures: [], salt: salts(concealment) }
  const mark = markPaths(concealment.disclosable)
  const payload = concealObject(claims, mark, { ...work, decoys: concealment.decoys })
  return { payload, disclosures: work.disclosures }
}

/** Salts for what is likely needed are drawn at once: a call for each takes longer than all else that a disclosure needs. */
function salts({ disclosable, decoys, randomBytes }: Concealment): () => string {
  let drawn = ''
  let at = 0
  return () => {
    if (at === drawn.length) {
      const wanted = saltBytes * (disclosable.length + decoys)
      const bytes = randomBytes(wanted)
      if (bytes.length !== wanted) throw new TypeError('fewer random bytes were given than asked for')
      drawn = toBase64url(bytes)
      at = 0
    }
    at += saltCharacters
    return drawn.slice(at - saltCharacters, at)
  }
}

interface Work {
  disclosures: string[]
  salt: () => string
}

/** What is to be concealed at one place and below it. */
interface Mark {
  concealed: boolean
  within: Map<string | number | null, Mark>
}

function markPaths(paths: readonly ClaimPath[]): Mark {
  const root: Mark = { concealed: false, within: new Map() }
  for (const path of paths) {
    let mark = root
    for (const step of path) {
      const next = mark.within.get(step) ?? { concealed: false, within: new Map() }
      mark.within.set(step, next)
      mark = next
    }
    mark.concealed = mark !== root
  }
  return root
}

function conceal(value: Json, mark: Mark, work: Work): Json {
  if (mark.within.size === 0 || value === null || typeof value !== 'object') return value
  return Array.isArray(value) ? concealArray(value, mark, work) : concealObject(value, mark, { ...work, decoys: 0 })
}

function concealObject(
  object: { readonly [name: string]: Json },
  mark: Mark,
  { decoys, ...work }: Work & { decoys: number },
): { [name: string]: Json } {
  const shown: { [name: string]: Json } = {}
  const digests: string[] = []
  for (const name of Object.keys(object)) {
    const value = object[name]
    if (value === undefined) continue
    const within = mark.within.get(name)
    if (within === undefined) shown[name] = value
    else if (within.concealed) digests.push(disclose(`,${JSON.stringify(name)},`, conceal(value, within, work), work))
    else shown[name] = conceal(value, within, work)
  }
  for (let i = 0; i < decoys; i++) digests.push(digestOfText(work.salt()))
  if (digests.length > 0) shown._sd = digests.sort()
  return shown
}

function concealArray(elements: Json[], mark: Mark, work: Work): Json[] {
  return elements.map((element, index) => {
    const within = mark.within.get(index) ?? mark.within.get(null)
    if (within === undefined) return element
    const value = conceal(element, within, work)
    return within.concealed ? { '...': disclose(',', value, work) } : value
  })
}

/** Gives the digest. The disclosure is written as JSON by hand: an array of salt, name and value (section 4.2.1). */
function disclose(name: string, value: Json, work: Work): string {
  const disclosure = base64urlOfText(`["${work.salt()}"${name}${JSON.stringify(value)}]`)
  work.disclosures.push(disclosure)
  return digestOfText(disclosure)
}

/** RFC 9901 section 4.1: what an SD-JWT itself is written with is no name for a claim. */
function refuseReservedNames(value: Json): void {
  if (value === null || typeof value !== 'object') return
  if (Array.isArray(value)) {
    for (const element of value) refuseReservedNames(element)
    return
  }
  for (const name of Object.keys(value)) {
    if (name === '_sd' || name === '...' || name === '_sd_alg')
      throw new Problem('invalid-credential', { detail: 'A claim has a reserved name', pointer: `/${name}` })
    refuseReservedNames(value[name] ?? null)
  }
}

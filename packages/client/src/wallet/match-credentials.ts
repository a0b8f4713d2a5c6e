import { canonicalJson, type Json } from '@tillit/codec'
import { parseSdJwt } from '@tillit/credential'
import { Problem } from '@tillit/problem'
import type { ClaimPath, ClaimQuery, CredentialQuery, DcqlQuery } from './dcql-query.ts'
import type { HeldCredential } from './wallet-store.ts'

/** A claim as it would be shown to the verifier. */
export interface ShownClaim {
  readonly path: ClaimPath
  readonly value: Json
}

/** A credential that answers a query, and everything that it would tell. */
export interface Candidate {
  readonly held: HeldCredential
  /** Names of the disclosures that would be sent, and what they say. */
  readonly disclosed: readonly string[]
  /** What the verifier asked for. */
  readonly asked: readonly ShownClaim[]
  /** Every claim that is visible to the verifier in the end: the asked ones and those that cannot be left out. */
  readonly visible: { readonly [name: string]: Json }
}

/** The candidates for each query of a request, by its id, the newest credential first. */
export type Candidates = ReadonlyMap<string, readonly Candidate[]>

/** Which credentials answer which query (OpenID4VP 1.0 sections 6.4.1 and 7); what has expired answers none. */
export function matchCredentials(query: DcqlQuery, held: readonly HeldCredential[], now: Date): Candidates {
  const newestFirst = held.toSorted((a, b) => b.receivedAt.localeCompare(a.receivedAt))
  return new Map(
    query.credentials.map((credentialQuery) => [
      credentialQuery.id,
      newestFirst.flatMap((credential) => matchCredential(credentialQuery, credential, now) ?? []),
    ]),
  )
}

/**
 * The queries to answer: all, or of each required set the first option that can be met (section 6.4.2). Optional sets are
 * answered only when `optional` names them: what need not be told is not. Throws Problem credential-not-held.
 */
export function queriesToAnswer(query: DcqlQuery, candidates: Candidates, optional: readonly number[] = []): string[] {
  const isHeld = (id: string) => (candidates.get(id) ?? []).length > 0
  if (query.credentialSets === null) {
    const missing = query.credentials.find(({ id }) => !isHeld(id))
    if (missing !== undefined) throw notHeld(missing.id)
    return query.credentials.map(({ id }) => id)
  }
  const chosen = new Set<string>()
  for (const [index, { options, required }] of query.credentialSets.entries()) {
    if (!required && !optional.includes(index)) continue
    const option = options.find((ids) => ids.every(isHeld))
    if (option === undefined) throw notHeld(options[0]?.[0] ?? '')
    for (const id of option) chosen.add(id)
  }
  return [...chosen]
}

function matchCredential(query: CredentialQuery, held: HeldCredential, now: Date): Candidate | null {
  if (query.format !== held.format) return null
  const { claims, disclosed } = parseSdJwt(held.credential)
  if (typeof claims.vct !== 'string' || !query.vctValues.includes(claims.vct)) return null
  if (typeof claims.exp === 'number' && claims.exp * 1000 <= now.getTime()) return null
  const asked = chooseClaims(query, claims)
  if (asked === null) return null
  const names = new Set(asked.map(({ path }) => String(path[0])))
  const shown = [...names].filter((name) => disclosed.has(name))
  const visible = Object.entries(claims).filter(([name]) => !disclosed.has(name) || names.has(name))
  return { held, disclosed: shown, asked, visible: Object.fromEntries(visible) }
}

/** The first claim set that the credential can answer; without sets all claims (section 6.4.1). */
function chooseClaims({ claims: queries, claimSets }: CredentialQuery, claims: Claims): ShownClaim[] | null {
  const all = queries ?? []
  const alternatives = claimSets?.map((ids) => all.filter(({ id }) => id !== null && ids.includes(id))) ?? [all]
  for (const alternative of alternatives) {
    const shown = alternative.map((query) => selectClaim(query, claims))
    if (shown.every((claim) => claim !== null)) return shown
  }
  return null
}

type Claims = { readonly [name: string]: Json }

function selectClaim({ path, values }: ClaimQuery, claims: Claims): ShownClaim | null {
  const selected = follow(path, { ...claims })
  const wanted = values?.map((value) => canonicalJson(value))
  const kept = wanted === undefined ? selected : selected.filter((value) => wanted.includes(canonicalJson(value)))
  const [first] = kept
  if (first === undefined) return null
  return { path, value: kept.length === 1 ? first : kept }
}

/** Section 7.1.1: the elements that a path selects; none when it leads nowhere. */
function follow(path: ClaimPath, root: Json): Json[] {
  let selected: Json[] = [root]
  for (const step of path) selected = selected.flatMap((value) => stepInto(value, step))
  return selected
}

function stepInto(value: Json, step: string | number | null): Json[] {
  if (value === null || typeof value !== 'object') return []
  if (!Array.isArray(value)) {
    const member = typeof step === 'string' && Object.hasOwn(value, step) ? value[step] : undefined
    return member === undefined ? [] : [member]
  }
  if (step === null) return value
  const element = typeof step === 'number' ? value[step] : undefined
  return element === undefined ? [] : [element]
}

function notHeld(id: string): Problem {
  return new Problem('credential-not-held', { detail: `Nothing here answers the query ${id}`, pointer: `/${id}` })
}

import type { Json } from '@tillit/codec'
import { Problem } from '@tillit/problem'
import { type Members, readMembers } from './read-members.ts'

/** Bounds on what a verifier may make this wallet work through. */
const maxQueries = 32
const maxClaims = 64
const idPattern = /^[A-Za-z0-9_-]+$/

/** A path into the claims of a credential (OpenID4VP 1.0 section 7): names, indexes, or null for every element of a list. */
export type ClaimPath = readonly (string | number | null)[]

export interface ClaimQuery {
  readonly id: string | null
  readonly path: ClaimPath
  readonly values: readonly Json[] | null
}

export interface CredentialQuery {
  readonly id: string
  readonly format: string
  readonly multiple: boolean
  readonly vctValues: readonly string[]
  /** null: no claim that can be left out is asked for. */
  readonly claims: readonly ClaimQuery[] | null
  /** Alternatives, the verifier's favourite first; null: all claims. */
  readonly claimSets: readonly (readonly string[])[] | null
}

export interface CredentialSetQuery {
  readonly options: readonly (readonly string[])[]
  readonly required: boolean
}

export interface DcqlQuery {
  readonly credentials: readonly CredentialQuery[]
  readonly credentialSets: readonly CredentialSetQuery[] | null
}

/**
 * Parses a Digital Credentials Query (OpenID4VP 1.0 section 6). Members that are not known are ignored, as it says, but none
 * of those that narrow what may be sent. Throws Problem invalid-presentation-request.
 */
export function parseDcqlQuery(value: Json | undefined): DcqlQuery {
  const query = readMembers(value, malformed)
  const credentials = listOf(query, 'credentials', maxQueries).map(parseCredentialQuery)
  if (credentials.length === 0) throw malformed('The query asks for no credential')
  refuseRepeated(credentials.map(({ id }) => id))
  const known = new Set(credentials.map(({ id }) => id))
  const sets = query.optionalList('credential_sets') === null ? null : listOf(query, 'credential_sets', maxQueries)
  return { credentials, credentialSets: sets === null ? null : sets.map((set) => parseCredentialSet(set, known)) }
}

function parseCredentialQuery(query: Members): CredentialQuery {
  const claims = query.optionalList('claims') === null ? null : listOf(query, 'claims', maxClaims).map(parseClaim)
  refuseRepeated((claims ?? []).flatMap(({ id }) => (id === null ? [] : [id])))
  if (query.optionalFlag('require_cryptographic_holder_binding') === false)
    throw malformed('A credential without its holder’s proof is asked for')
  if (query.optionalList('trusted_authorities') !== null)
    throw malformed('Trusted authorities are not something that this wallet can compare')
  const meta = readMembers(query.optionalObject('meta') ?? {}, malformed)
  return {
    id: idOf(query),
    format: query.text('format'),
    multiple: query.optionalFlag('multiple') === true,
    vctValues: meta.optionalTexts('vct_values') ?? [],
    claims,
    claimSets: parseClaimSets(query, claims),
  }
}

function parseClaim(claim: Members): ClaimQuery {
  const path = (claim.optionalList('path') ?? []).map((step) => {
    const isIndex = typeof step === 'number' && Number.isSafeInteger(step) && step >= 0
    if (typeof step === 'string' || step === null || isIndex) return step
    throw malformed('A path holds something that leads nowhere')
  })
  if (typeof path[0] !== 'string') throw malformed('A path begins with the name of a claim')
  return { id: claim.optionalText('id'), path, values: claim.optionalList('values') }
}

function parseClaimSets(query: Members, claims: readonly ClaimQuery[] | null): readonly (readonly string[])[] | null {
  const sets = query.optionalList('claim_sets')
  if (sets === null) return null
  const ids = new Set((claims ?? []).map(({ id }) => id))
  return sets.map((set) => namesIn(set, (id) => ids.has(id)))
}

function parseCredentialSet(set: Members, known: ReadonlySet<string>): CredentialSetQuery {
  const options = set.optionalList('options')
  if (options === null) throw malformed('A set of credentials has no options')
  return {
    options: options.map((option) => namesIn(option, (id) => known.has(id))),
    required: set.optionalFlag('required') !== false,
  }
}

function namesIn(value: Json, isKnown: (id: string) => boolean): string[] {
  if (!Array.isArray(value) || value.length === 0) throw malformed('A set is not a list of ids')
  return value.map((id) => {
    if (typeof id !== 'string' || !isKnown(id)) throw malformed('A set names something that is not in the query')
    return id
  })
}

function listOf(query: Members, name: string, most: number): Members[] {
  const list = query.optionalList(name)
  if (list === null) return []
  if (list.length > most) throw malformed(`The member ${name} is too long`)
  return list.map((item) => readMembers(item, malformed))
}

function idOf(query: Members): string {
  const id = query.text('id')
  if (!idPattern.test(id)) throw malformed('An id holds signs that are not allowed')
  return id
}

function refuseRepeated(ids: readonly string[]): void {
  if (new Set(ids).size !== ids.length) throw malformed('An id stands twice')
}

function malformed(detail: string): Problem {
  return new Problem('invalid-presentation-request', { detail })
}

import { canonicalJson, type Json } from '@tillit/codec'
import { Problem } from '@tillit/problem'
import type { CredentialType, DcqlQuery } from '@tillit/schemas'
import { type DcqlCredentialPresentation, DcqlPresentationResult, DcqlQuery as QueryLanguage } from 'dcql'

export type Claims = { readonly [name: string]: Json }

/** The claims that a query asks for, each in its place. */
export type AskedClaims = { readonly [name: string]: unknown }

const baseTypeIri = 'https://www.w3.org/2018/credentials#VerifiableCredential'
const vocabulary = 'https://tillit.example/vocabulary#'

/** The type of a credential of the data model 2.0 with its context applied: what `type_values` of a query name. */
export function typeIriOf(type: CredentialType): string {
  return vocabulary + type
}

/**
 * Checks what the schema of a query cannot: that its ids are unique and lead somewhere (OpenID4VP 1.0 section 6), and that no
 * name in it is one that every object has. Throws Problem invalid-request.
 */
export function checkDcqlQuery(query: DcqlQuery): void {
  try {
    const parsed = QueryLanguage.parse(query)
    QueryLanguage.validate(parsed)
  } catch (cause) {
    throw new Problem('invalid-request', {
      detail: cause instanceof Error ? cause.message : 'The query is not valid',
      pointer: '/query',
      cause,
    })
  }
  for (const { id, claims = [] } of query.credentials) {
    const names = [id, ...claims.flatMap(({ path }) => path)]
    if (names.some((name) => typeof name === 'string' && name in Object.prototype)) {
      throw new Problem('invalid-request', { detail: 'A name in the query is not one for claims', pointer: '/query' })
    }
    const paths = claims.map(({ path }) => canonicalJson(path))
    if (new Set(paths).size < paths.length) {
      throw new Problem('invalid-request', { detail: `The query ${id} points to a claim twice`, pointer: '/query' })
    }
  }
}

/**
 * The claims that one credential query asks for, as far as `claims` have them in one of its claim sets (OpenID4VP 1.0 section
 * 6.4.1); null when they are not all there, have other values, or the credential is of another type.
 */
export function askedClaims(query: DcqlQuery, queryId: string, claims: Claims): AskedClaims | null {
  const credentials = query.credentials.filter(({ id }) => id === queryId)
  const { credential_matches: matches } = match({ credentials }, { [queryId]: [claims] })
  const [found] = matches[queryId]?.valid_credentials ?? []
  const [chosen] = found?.claims.valid_claim_sets ?? []
  return chosen === undefined ? null : { ...chosen.output }
}

/** Whether the presented credentials, by the query that each answers, are all that was asked for (section 6.4.2). */
export function satisfies(query: DcqlQuery, presented: { readonly [queryId: string]: readonly Claims[] }): boolean {
  return match(query, presented).can_be_satisfied
}

function match(query: DcqlQuery, presented: { readonly [queryId: string]: readonly Claims[] }) {
  const presentation = Object.fromEntries(
    query.credentials.flatMap(({ id, format }) => {
      const claims = presented[id]
      return claims === undefined ? [] : [[id, claims.map((one) => toPresented(one, format))]]
    }),
  )
  return DcqlPresentationResult.fromDcqlPresentation(presentation, { dcqlQuery: QueryLanguage.parse(query) })
}

function toPresented(claims: Claims, format: DcqlQuery['credentials'][number]['format']): DcqlCredentialPresentation {
  switch (format) {
    case 'dc+sd-jwt': {
      const vct = typeof claims.vct === 'string' ? claims.vct : ''
      return { credential_format: format, cryptographic_holder_binding: true, vct, claims }
    }
    case 'jwt_vc_json': {
      const names = [claims.type].flat().filter((name) => typeof name === 'string')
      const type = names.map((name) => (name === 'VerifiableCredential' ? baseTypeIri : vocabulary + name))
      return { credential_format: format, cryptographic_holder_binding: true, type, claims }
    }
  }
}

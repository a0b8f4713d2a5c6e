import { canonicalJson, fromBase64url, fromUtf8, parseJson, sha256, toBase64url, utf8 } from '@tillit/codec'
import { Problem } from '@tillit/problem'
import type { SearchPageRequest } from '@tillit/schemas'
import type { Stretch } from './access-store.ts'

/** Most results in one page, whatever is asked for. */
export const maxPageResults = 100
/** Candidates fetched and decided on at once. */
const batchSize = maxPageResults + 1
/** Most candidates decided on for one page: a page may come short and still not be the last. */
export const maxExamined = 10 * batchSize

export interface SearchSteps {
  /** The ids after one, in the order of their bytes. */
  candidates(stretch: Stretch): Promise<string[]>
  /** Those of the ids that are permitted. */
  permitted(ids: string[]): Promise<ReadonlySet<string>>
}

export interface SearchPage {
  ids: string[]
  page: { next_token: string; count: number }
}

/**
 * AuthZEN section 8.2: one page of what is permitted among the candidates. The token names the last candidate looked at, and holds for the
 * same request only. `asked` is everything that has to stay the same from page to page. Throws Problem invalid-request.
 */
export async function searchPage(
  request: SearchPageRequest | undefined,
  asked: Record<string, unknown>,
  { candidates, permitted }: SearchSteps,
): Promise<SearchPage> {
  const digest = digestOf(asked, request?.properties)
  const { limit, after } = openPage(request, digest)
  const wanted = Math.min(limit ?? maxPageResults, maxPageResults)
  const ids: string[] = []
  const pageUntil = (last: string | null): SearchPage => ({
    ids,
    page: { next_token: last === null ? '' : writeToken({ limit, after: last, digest }), count: ids.length },
  })
  let last = after
  for (let examined = 0; examined < maxExamined; ) {
    const batch = await candidates({ after: last, limit: batchSize })
    const allowed = await permitted(batch)
    for (const id of batch) {
      if (ids.length === wanted) return pageUntil(last)
      if (allowed.has(id)) ids.push(id)
      last = id
    }
    if (batch.length < batchSize) return pageUntil(null)
    examined += batch.length
  }
  return pageUntil(last)
}

interface Token {
  /** As it was asked for on the first page; null: it was not. */
  limit: number | null
  after: string
  digest: string
}

/** The specification's own example repeats all but the limit, so the token remembers it. */
function openPage(request: SearchPageRequest | undefined, digest: string): Omit<Token, 'digest'> {
  const limit = request?.limit ?? null
  if (request?.token === undefined || request.token === '') return { limit, after: '' }
  const token = readToken(request.token)
  if (token === null) throw wrongToken('The token is not one of this service')
  if (token.digest !== digest || (limit !== null && limit !== token.limit))
    throw wrongToken('The token belongs to another request')
  return token
}

function digestOf(asked: Record<string, unknown>, properties: unknown): string {
  return toBase64url(sha256(utf8(canonicalJson({ ...asked, properties: properties ?? null }))))
}

function writeToken(token: Token): string {
  return toBase64url(utf8(JSON.stringify(token)))
}

function readToken(text: string): Token | null {
  try {
    const token = parseJson(fromUtf8(fromBase64url(text)))
    if (token === null || typeof token !== 'object' || Array.isArray(token)) return null
    const { limit, after, digest } = token
    const isLimit = limit === null || (typeof limit === 'number' && Number.isInteger(limit) && limit >= 0)
    return isLimit && typeof after === 'string' && typeof digest === 'string' ? { limit, after, digest } : null
  } catch {
    return null
  }
}

function wrongToken(detail: string): Problem {
  return new Problem('invalid-request', { detail, pointer: '/page/token' })
}

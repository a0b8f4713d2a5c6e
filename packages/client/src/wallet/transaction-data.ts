import { fromBase64url, fromUtf8, type Json, parseJson, sha256, toBase64url, utf8 } from '@tillit/codec'
import { isProblem, Problem } from '@tillit/problem'
import { isObject, readMembers } from './read-members.ts'

const hashAlgorithm = 'sha-256'

/** Something that the person authorises by presenting (OpenID4VP 1.0 section 8.4), to be shown in full before. */
export interface TransactionData {
  readonly type: string
  /** The queries whose credentials may sign it. */
  readonly queryIds: readonly string[]
  readonly details: { readonly [name: string]: Json }
  /** As it came: what is hashed. */
  readonly encoded: string
  readonly namesAlgorithm: boolean
}

/** Throws Problem invalid-presentation-request, also for a type that nobody could show to the person. */
export function parseTransactionData(list: readonly Json[], knownTypes: readonly string[]): TransactionData[] {
  return list.map((encoded) => {
    if (typeof encoded !== 'string') throw malformed('An entry of transaction_data is not text')
    const value = decode(encoded)
    const members = readMembers(value, malformed)
    const queryIds = members.optionalTexts('credential_ids')
    if (queryIds === null) throw malformed('An entry of transaction_data names no credential')
    const algorithms = members.optionalTexts('transaction_data_hashes_alg')
    if (algorithms !== null && !algorithms.includes(hashAlgorithm))
      throw malformed('An entry of transaction_data wants a hash that is not known here')
    const type = members.text('type')
    if (!knownTypes.includes(type)) throw malformed(`Transaction data of type ${type} cannot be shown by this wallet`)
    const details = isObject(value) ? value : {}
    return { type, queryIds, details, encoded, namesAlgorithm: algorithms !== null }
  })
}

/** What the holder signs of it with the key binding of the credential that answers `queryId` (appendix B.3.3.1). */
export function transactionClaims(
  transactions: readonly TransactionData[],
  queryId: string,
): { readonly [name: string]: unknown } {
  const own = transactions.filter(({ queryIds }) => queryIds.includes(queryId))
  if (own.length === 0) return {}
  return {
    transaction_data_hashes: own.map(({ encoded }) => toBase64url(sha256(utf8(encoded)))),
    ...(own.some(({ namesAlgorithm }) => namesAlgorithm) ? { transaction_data_hashes_alg: hashAlgorithm } : {}),
  }
}

function decode(encoded: string): Json {
  try {
    return parseJson(fromUtf8(fromBase64url(encoded)))
  } catch (cause) {
    if (!isProblem(cause)) throw cause
    throw new Problem('invalid-presentation-request', { detail: 'An entry of transaction_data cannot be read', cause })
  }
}

function malformed(detail: string): Problem {
  return new Problem('invalid-presentation-request', { detail })
}

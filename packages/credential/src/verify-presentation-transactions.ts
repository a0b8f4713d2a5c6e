import { fromBase64url, fromUtf8, type Json, parseJson, sha256, toBase64url, utf8 } from '@tillit/codec'
import { Problem } from '@tillit/problem'

/** The one hash function that requests of this city allow (OpenID4VP 1.0 appendix B.3.3). */
export const transactionHashAlgorithm = 'sha-256'

/** An entry of `transaction_data` as it was sent, and what it says. */
export interface Transaction {
  hash: string
  credentialIds: readonly Json[]
  /** Whether the request named hash functions; then the holder has to name the one that was taken. */
  namesAlgorithms: boolean
}

/** Entries are base64url of JSON, and hashed as they were sent. Throws Problem invalid-presentation or what parsing throws. */
export function parseTransactions(transactionData: readonly string[]): Transaction[] {
  return transactionData.map((encoded) => {
    const entry = parseJson(fromUtf8(fromBase64url(encoded)))
    if (entry === null || typeof entry !== 'object' || Array.isArray(entry) || !Array.isArray(entry.credential_ids)) {
      throw unsigned('An entry of transaction_data is not an object that names credentials')
    }
    const algorithms = entry.transaction_data_hashes_alg
    if (algorithms !== undefined && !(Array.isArray(algorithms) && algorithms.includes(transactionHashAlgorithm))) {
      throw unsigned('An entry of transaction_data allows no hash function that is known here')
    }
    return {
      hash: toBase64url(sha256(utf8(encoded))),
      credentialIds: entry.credential_ids,
      namesAlgorithms: algorithms !== undefined,
    }
  })
}

/**
 * Which transactions the holder signed with the key binding of the credential that answers `queryId`. Throws Problem
 * invalid-presentation when it signs one that was not asked of this credential, or by another hash function.
 */
export function signedTransactions(
  transactions: readonly Transaction[],
  queryId: string,
  keyBinding: { readonly [claim: string]: Json },
): number[] {
  const { transaction_data_hashes: hashes, transaction_data_hashes_alg: algorithm } = keyBinding
  if (hashes === undefined) return []
  if (!Array.isArray(hashes) || hashes.length === 0) throw unsigned('transaction_data_hashes is not a list of hashes')
  if (algorithm !== undefined && algorithm !== transactionHashAlgorithm) {
    throw unsigned('The transaction data is hashed by a function that was not allowed')
  }
  return hashes.map((hash) => {
    const index = transactions.findIndex(
      (transaction) => transaction.hash === hash && transaction.credentialIds.includes(queryId),
    )
    const transaction = transactions[index]
    if (transaction === undefined)
      throw unsigned('The holder signed a transaction that was not asked of this credential')
    if (transaction.namesAlgorithms && algorithm === undefined) {
      throw unsigned('The key binding does not name the hash function of the transaction data')
    }
    return index
  })
}

/** Throws Problem invalid-presentation. */
export function requireEverySigned(transactions: readonly Transaction[], signed: readonly number[]): void {
  if (transactions.some((_, index) => !signed.includes(index))) {
    throw unsigned('The holder did not sign a transaction that was asked for')
  }
}

function unsigned(detail: string): Problem {
  return new Problem('invalid-presentation', { detail })
}

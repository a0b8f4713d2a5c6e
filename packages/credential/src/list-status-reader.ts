import { parseJws } from '@tillit/keys'
import { isProblem, Problem } from '@tillit/problem'
import { type BitstringVerification, bitstringStatusReader } from './bitstring-status-list-credential.ts'
import type { ReadStatus } from './credential-status.ts'
import { type StatusListVerification, statusReader } from './status-list-token.ts'

/**
 * A ReadStatus for lists of both forms, each told by what is fetched: a Status List Token, or a BitstringStatusListCredential,
 * which needs `gunzip`. Put a cache no longer than their `ttl` in front of `fetchList`.
 */
export function listStatusReader(
  options: Omit<StatusListVerification, 'uri' | 'now'> &
    Partial<Pick<BitstringVerification, 'gunzip'>> & {
      fetchList: (uri: string) => Promise<string>
      now: () => Date
    },
): ReadStatus {
  const { gunzip, fetchList, ...common } = options
  return async (uri, idx) => {
    const list = await fetchList(uri)
    if (typeOf(list) !== 'vc+jwt') return statusReader({ ...common, fetchToken: async () => list })(uri, idx)
    if (gunzip === undefined)
      throw new Problem('feature-not-supported', { detail: 'Nothing here reads a Bitstring Status List' })
    return bitstringStatusReader({ ...common, gunzip, fetchCredential: async () => list })(uri, idx)
  }
}

function typeOf(list: string): unknown {
  try {
    return parseJws(list).header.typ
  } catch (cause) {
    if (isProblem(cause, 'invalid-jws')) throw new Problem('invalid-status-list', { detail: cause.message, cause })
    throw cause
  }
}

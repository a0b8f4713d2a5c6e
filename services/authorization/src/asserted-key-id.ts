import { parseJws } from '@tillit/keys'
import { isProblem } from '@tillit/problem'
import { Provider } from 'oidc-provider'

/**
 * The `kid` of the assertion with which the client of this request authenticates (RFC 7523); undefined where there is none.
 * Nothing is verified: it only says which keys to look for.
 */
export function assertedKeyId(): string | undefined {
  const assertion: unknown = Provider.ctx?.oidc?.body?.client_assertion
  if (typeof assertion !== 'string') return undefined
  try {
    const { kid } = parseJws(assertion).header
    return typeof kid === 'string' ? kid : undefined
  } catch (error) {
    // The provider says what is wrong with it.
    if (isProblem(error)) return undefined
    throw error
  }
}

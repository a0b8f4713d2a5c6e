import { toBase64url, toHex } from '@tillit/codec'
import { Problem } from '@tillit/problem'
import type { LogEntryKind, Opening } from '@tillit/schemas'

/** An entry as it is kept, with what opens its leaf in the log until that is erased. */
interface KeptEntry {
  readonly entry: object
  readonly salt: Uint8Array | null
  readonly commitment: Uint8Array
}

/** Throws Problem salt-erased, which does not say which leaf it was. */
export function openingOf(kind: LogEntryKind, { entry, salt, commitment }: KeptEntry): Opening {
  if (salt === null) throw new Problem('salt-erased')
  return { kind, entry: { ...entry }, salt: toBase64url(salt), commitment: toHex(commitment) }
}

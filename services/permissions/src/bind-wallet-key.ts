import { violatesUnique } from '@tillit/database'
import { didKeyFor } from '@tillit/did'
import { parseJws, parsePublicJwk, toPublicJwk, verifyJws } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import { KeyBindingClaims } from '@tillit/schemas'
import { Check } from 'typebox/value'
import type { PermissionsContext } from './ports.ts'
import type { CustomerKeyRow } from './tables.ts'
import { checkAge } from './verify-statement.ts'

/** A person has a few devices, not more. */
const maxKeys = 32

/**
 * Binds a wallet key to the signed-in customer, with a statement that the key itself signed. Earlier keys stay valid: a new
 * device does not undo what the old one signed. Throws Problem invalid-jws, invalid-key, weak-key, invalid-signature,
 * invalid-request, statement-expired, statement-replayed, conflict.
 */
export async function bindWalletKey(
  { customerId, statement }: { customerId: string; statement: string },
  { store, ports }: PermissionsContext,
): Promise<CustomerKeyRow> {
  const now = ports.now()
  const { jwk } = parseJws(statement).header
  if (jwk === null || typeof jwk !== 'object' || Array.isArray(jwk))
    throw new Problem('invalid-jws', { detail: 'The header has no jwk', pointer: '/statement' })
  const key = parsePublicJwk(jwk)
  const { payload } = verifyJws(statement, key, { typ: 'tillit-key-binding+jwt' })
  if (!Check(KeyBindingClaims, payload)) throw wrong('The claims of the statement are not valid')
  if (payload.iss !== didKeyFor(key)) throw wrong('The issuer is not the did:key of the key')
  if (payload.sub !== customerId) throw wrong('The statement is about another customer')
  if (payload.aud !== ports.authorityDid) throw wrong('The statement is meant for somebody else')
  checkAge(payload.iat, now)

  const bound = await store.findKey(payload.iss)
  if (bound) return refuseOrRepeat(bound, { customerId, jti: payload.jti })
  if ((await store.listKeys(customerId)).length >= maxKeys)
    throw new Problem('conflict', { detail: 'The customer has too many wallet keys' })
  const row: CustomerKeyRow = {
    did: payload.iss,
    customer_id: customerId,
    jwk: toPublicJwk(key),
    binding: statement,
    jti: payload.jti,
    valid_from: now,
    valid_to: null,
  }
  try {
    await store.transaction((writer) => writer.insertKey(row))
  } catch (error) {
    if (!violatesUnique(error)) throw error
    throw new Problem('conflict', { detail: 'The key was bound meanwhile', cause: error })
  }
  return row
}

/** A fresh statement for a key that is bound already says nothing new; a used one is a replay. */
function refuseOrRepeat(bound: CustomerKeyRow, by: { customerId: string; jti: string }): CustomerKeyRow {
  if (bound.jti === by.jti) throw new Problem('statement-replayed')
  if (bound.customer_id !== by.customerId)
    throw new Problem('conflict', { detail: 'The key is bound to another customer', pointer: '/statement' })
  return bound
}

function wrong(detail: string): Problem {
  return new Problem('invalid-request', { detail, pointer: '/statement' })
}

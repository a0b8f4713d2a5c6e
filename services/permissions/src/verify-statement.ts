import { sha256, toHex, utf8 } from '@tillit/codec'
import { type ParsedJws, type PublicKey, parseJws, parsePublicJwk, verifyJws } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import { type PublicJwk, StatementClaims } from '@tillit/schemas'
import { Check } from 'typebox/value'
import type { Reader } from './store.ts'
import type { CustomerKeyRow } from './tables.ts'

/** A statement is handed in soon after it was signed. */
const maxAgeSeconds = 600
const clockSkewSeconds = 60

export function statementSha256(statement: string): string {
  return toHex(sha256(utf8(statement)))
}

export interface CustomerKey {
  key: PublicKey
  jwk: PublicJwk
  did: string
}

/**
 * A statement that is authentic: signed by a wallet key that is bound to this customer, a short while ago. Throws Problem
 * invalid-jws, key-not-bound, invalid-signature or statement-expired.
 */
export async function verifyCustomerStatement(
  statement: string,
  customerId: string,
  options: { reader: Pick<Reader, 'findKey'>; typ: string; now: Date },
): Promise<{ payload: ParsedJws['payload']; signer: CustomerKey }> {
  const { reader, typ, now } = options
  const { payload } = parseJws(statement)
  const row = typeof payload.iss === 'string' ? await reader.findKey(payload.iss) : undefined
  if (!row || row.customer_id !== customerId || !isValidAt(row, now)) throw new Problem('key-not-bound')
  const key = parsePublicJwk(row.jwk)
  verifyJws(statement, key, { typ })
  checkAge(payload.iat, now)
  return { payload, signer: { key, jwk: row.jwk, did: row.did } }
}

/** A rejection or revocation of one permission. Throws as verifyCustomerStatement, and invalid-request with what is wrong. */
export async function verifyAnswer(
  statement: string,
  expected: { customerId: string; permissionId: string; action: 'reject' | 'revoke'; authorityDid: string },
  options: { reader: Pick<Reader, 'findKey'>; now: Date },
): Promise<{ claims: StatementClaims; signer: CustomerKey }> {
  const typ = 'tillit-statement+jwt'
  const { payload, signer } = await verifyCustomerStatement(statement, expected.customerId, { ...options, typ })
  if (!Check(StatementClaims, payload)) throw wrong('The claims of the statement are not valid')
  if (payload.aud !== expected.authorityDid) throw wrong('The statement is meant for somebody else')
  if (payload.permission !== expected.permissionId) throw wrong('The statement is about another permission')
  if (payload.action !== expected.action) throw wrong(`The statement does not ${expected.action}`)
  return { claims: payload, signer }
}

export function checkAge(iat: unknown, now: Date): void {
  const age = typeof iat === 'number' ? now.getTime() / 1000 - iat : Number.NaN
  if (!(age <= maxAgeSeconds && age >= -clockSkewSeconds)) throw new Problem('statement-expired')
}

function isValidAt({ valid_from, valid_to }: CustomerKeyRow, now: Date): boolean {
  return valid_from <= now && (valid_to === null || now < valid_to)
}

function wrong(detail: string): Problem {
  return new Problem('invalid-request', { detail, pointer: '/statement' })
}

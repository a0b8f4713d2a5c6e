import type { Json } from '@tillit/codec'
import { type CredentialStatus, parseSdJwt, type ReadStatus, typeOfVct } from '@tillit/credential'
import { isProblem } from '@tillit/problem'
import { isObject } from './read-members.ts'
import type { HeldCredential } from './wallet-store.ts'

/** What a holder sees of a credential in a list. */
export interface CredentialDescription {
  readonly held: HeldCredential
  /** The type's name, or its `vct` where this wallet does not know the type. */
  readonly type: string
  readonly issuer: string
  readonly issuedAt: Date | null
  readonly expires: Date | null
  /** `expired` by its own date; `unknown`: nobody was asked, or nobody could tell. */
  readonly status: CredentialStatus | 'expired' | 'unknown'
  /** Every claim, with those that can be left out when presenting named in `disclosable`. */
  readonly claims: { readonly [name: string]: Json }
  readonly disclosable: readonly string[]
}

/** Reads a credential for its holder; asks for its status only when `readStatus` is given, which tells the issuer's host. */
export async function describeCredential(
  held: HeldCredential,
  { now, readStatus }: { now: Date; readStatus: ReadStatus | null },
): Promise<CredentialDescription> {
  const { claims, disclosed } = parseSdJwt(held.credential)
  const expires = timeOf(claims.exp)
  return {
    held,
    type: typeOfVct(claims.vct) ?? String(claims.vct),
    issuer: String(claims.iss),
    issuedAt: timeOf(claims.iat),
    expires,
    status: expires !== null && expires <= now ? 'expired' : await statusIn(claims, readStatus),
    claims,
    disclosable: [...disclosed],
  }
}

async function statusIn(
  claims: { readonly [name: string]: Json },
  readStatus: ReadStatus | null,
): Promise<CredentialStatus | 'unknown'> {
  const list = isObject(claims.status) && isObject(claims.status.status_list) ? claims.status.status_list : null
  if (readStatus === null || typeof list?.uri !== 'string' || typeof list.idx !== 'number') return 'unknown'
  try {
    return await readStatus(list.uri, list.idx)
  } catch (error) {
    // A list that cannot be had or is not to be trusted says nothing; the holder is shown just that.
    if (isProblem(error) || error instanceof TypeError || error instanceof DOMException) return 'unknown'
    throw error
  }
}

function timeOf(value: Json | undefined): Date | null {
  return typeof value === 'number' ? new Date(value * 1000) : null
}

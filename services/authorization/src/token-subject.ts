import { type AccessToken, type ClientCredentials, errors } from 'oidc-provider'
import type { CallerKind } from './find-client.ts'
import { holderKind } from './holder-kind.ts'
import type { OffersOfGrants } from './offer-of-grant.ts'
import type { OfferStore } from './offer-store.ts'
import { preAuthorizedGrantMark } from './redeem-pre-authorized-code.ts'
import type { Store } from './store.ts'

export interface SubjectPorts {
  store: Store
  offers: OfferStore
  offerOfGrant: OffersOfGrants
}

/** A machine's standing was looked up when it became a client, a moment ago; people come through the portal or a wallet. */
export async function subjectOf(
  token: AccessToken | ClientCredentials,
  store: Store,
): Promise<{ kind: CallerKind; id: string }> {
  if (token.kind === 'ClientCredentials') {
    const kind = token.client?.caller_kind === 'device' ? 'device' : 'organisation'
    return { kind, id: token.clientId ?? '' }
  }
  const kind = await holderKind(token.accountId, store)
  if (!kind) throw new errors.InvalidGrant('the subject is not active')
  return { kind, id: token.accountId }
}

export async function tokenClaims(
  token: AccessToken | ClientCredentials,
  { store, offerOfGrant }: SubjectPorts,
): Promise<{ kind: CallerKind; offer?: string }> {
  const { kind } = await subjectOf(token, store)
  if (token.kind === 'ClientCredentials') return { kind }
  const offer = await offerOfGrant.find(token.grantId)
  return { kind, ...(offer === undefined ? {} : { offer }) }
}

/** Who signed in, or whom an offer named that is not withdrawn. */
export async function mayBeSubject(
  subject: string,
  source: { gty?: string | undefined; grantId?: string | undefined } | undefined,
  { store, offers, offerOfGrant }: SubjectPorts,
): Promise<boolean> {
  const offer = source?.grantId === undefined ? undefined : await offerOfGrant.find(source.grantId)
  if (offer !== undefined && (await offers.isWithdrawn(offer))) return false
  if (source?.gty?.startsWith(preAuthorizedGrantMark)) return (await holderKind(subject, store)) !== undefined
  return store.customerExists(subject)
}

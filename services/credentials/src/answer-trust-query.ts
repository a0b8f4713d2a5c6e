import { credentialRules, isCredentialType } from '@tillit/credential'
import type { PartyRole, TrustAnswer, TrustQuery } from '@tillit/schemas'
import { requireRoot } from './issue-credential.ts'
import type { Context } from './ports.ts'
import type { AccreditationAt } from './read-store.ts'

/**
 * Answers an authorization query of the Trust Registry Query Protocol 2.0: may the entity issue this type of credential, act in
 * this role or process for this purpose, now or at a time in the past? The registry speaks for its root only, and of nothing
 * that is still to come.
 */
export async function answerTrustQuery(context: Context, query: TrustQuery): Promise<TrustAnswer> {
  const now = context.now()
  const asked = query.context?.time
  const at = asked === undefined ? now : new Date(asked)
  const rootDid = await requireRoot(context.store)
  const reason =
    query.authority_id !== rootDid
      ? 'This registry does not speak for that authority'
      : at > now
        ? 'Nothing is known of a time to come'
        : await refusal(context, query, { at, rootDid })
  return {
    entity_id: query.entity_id,
    authority_id: query.authority_id,
    action: query.action,
    resource: query.resource,
    authorized: reason === null,
    ...(asked === undefined ? {} : { time_requested: asked }),
    time_evaluated: at.toISOString(),
    message: reason ?? 'Accredited for this',
  }
}

/** Why not; null when it is so. */
async function refusal(
  { store, authorityDid }: Context,
  { entity_id: did, action, resource }: TrustQuery,
  { at, rootDid }: { at: Date; rootDid: string },
): Promise<string | null> {
  const isAuthority = did === authorityDid
  const accreditation = await store.accreditationAt(did, at)
  if (!isAuthority && accreditation === undefined) return 'Was not accredited at that time'
  if (accreditation !== undefined && accreditation.event === 'suspended') return 'Was suspended at that time'
  if (accreditation !== undefined && accreditation.event === 'removed') return 'Was removed before that time'
  switch (action) {
    case 'issue':
      return mayIssue(resource, { did, rootDid, isAuthority, accreditation })
        ? null
        : 'Is not accredited to issue this type'
    case 'act-as':
      return accreditation?.roles.some((role) => role === resource) === true ? null : 'Is not accredited in this role'
    case 'process-for':
      return accreditation?.purposes.includes(resource) === true ? null : 'Is not accredited for this purpose'
    default:
      return 'The action is not known here'
  }
}

function mayIssue(
  type: string,
  who: { did: string; rootDid: string; isAuthority: boolean; accreditation: AccreditationAt | undefined },
): boolean {
  if (!isCredentialType(type)) return false
  const has = (role: PartyRole) => who.accreditation?.roles.includes(role) === true
  const rule = credentialRules[type].issuer
  switch (rule) {
    case 'root':
      return who.did === who.rootDid
    case 'authority':
      return who.isAuthority
    case 'root-or-utility':
      return who.did === who.rootDid || has('utility')
    case 'utility':
    case 'eligible_party':
      return has(rule)
  }
}

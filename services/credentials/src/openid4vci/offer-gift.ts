import { checkClaims, credentialRules } from '@tillit/credential'
import type { Caller } from '@tillit/http'
import { Problem } from '@tillit/problem'
import type { CredentialType, OfferRequest } from '@tillit/schemas'
import type { Context } from '../ports.ts'
import type { StoredParty } from '../read-store.ts'
import { type CredentialConfiguration, findConfiguration } from './credential-configurations.ts'

/** What only its maker can say, and so says in the offer. */
const saidInOffer: ReadonlySet<CredentialType> = new Set(['RepresentationCredential'])

const heldByPeople: ReadonlySet<CredentialType> = new Set([
  'MeteringPointEntitlement',
  'RepresentationCredential',
  'ConsentReceipt',
  'RevocationReceipt',
])

export interface Gift {
  configurations: readonly CredentialConfiguration[]
  /** The opaque id of a customer, or a DID. */
  holder: string
  resource: string | null
  claims: Record<string, unknown> | null
}

/**
 * What an offer gives to whom, when it is the caller's to give: an organisation gives what it issues, a customer what is theirs
 * already. Throws Problem unknown-credential-configuration, role-required, party-not-active, untrusted-issuer,
 * metering-point-not-found, invalid-request or invalid-credential.
 */
export async function giftOf(context: Context, caller: Caller, request: OfferRequest): Promise<Gift> {
  const configurations = request.configuration_ids.map((id, index) => {
    const configuration = findConfiguration(id)
    if (configuration) return configuration
    throw new Problem('unknown-credential-configuration', { pointer: `/configuration_ids/${index}` })
  })
  const gift = {
    configurations,
    holder: holderOf(caller, request),
    resource: request.resource ?? null,
    claims: request.claims ?? null,
  }
  requireHolderKind(gift)
  checkOfferedClaims(caller, gift)
  if (caller.kind !== 'customer') await requireIssuerOf(context, caller.id, gift)
  return gift
}

function holderOf(caller: Caller, { holder }: OfferRequest): string {
  if (caller.kind === 'customer') {
    if (holder === undefined || holder === caller.id) return caller.id
    throw new Problem('role-required', { detail: 'Customers offer to themselves', pointer: '/holder' })
  }
  if (holder === undefined)
    throw new Problem('invalid-request', { detail: 'It is not said whom the offer is for', pointer: '/holder' })
  return holder
}

function requireHolderKind({ configurations, holder }: Gift): void {
  const misfit = configurations.find(({ type }) => heldByPeople.has(type) !== holder.startsWith('cust_'))
  if (misfit)
    throw new Problem('invalid-request', { detail: `Nobody of that kind holds a ${misfit.type}`, pointer: '/holder' })
}

async function requireIssuerOf({ store, issuers }: Context, did: string, gift: Gift): Promise<void> {
  const party = await store.party(did)
  if (party?.status !== 'ACTIVE') throw new Problem('party-not-active')
  const foreign = gift.configurations.find(({ type }) => !mayIssue(party, type))
  if (foreign) throw new Problem('role-required', { detail: `Another organisation issues a ${foreign.type}` })
  if ((await issuers(did)) === null)
    throw new Problem('untrusted-issuer', { detail: 'The issuer’s key is not kept in this city' })
  // A metering point of somebody else is told apart from none by nobody.
  for (const point of [gift.resource, gift.claims?.metering_point]) {
    if (typeof point === 'string' && (await store.utilityOf(point)) !== did)
      throw new Problem('metering-point-not-found')
  }
  if (gift.claims !== null && !party.is_root && gift.claims.metering_point === undefined)
    throw new Problem('role-required', { detail: 'Only the registrar says this of more than a metering point' })
}

function mayIssue(party: StoredParty, type: CredentialType): boolean {
  const rule = credentialRules[type].issuer
  switch (rule) {
    case 'root':
      return party.is_root
    case 'root-or-utility':
      return party.is_root || party.roles.includes('utility')
    case 'utility':
    case 'eligible_party':
      return party.roles.includes(rule)
    case 'authority':
      return false
  }
}

function checkOfferedClaims(caller: Caller, { configurations, claims }: Gift): void {
  const types = new Set(configurations.map(({ type }) => type))
  const said = [...types].find((type) => saidInOffer.has(type))
  if (said === undefined) {
    if (claims !== null)
      throw new Problem('invalid-request', { detail: 'What is said is known already', pointer: '/claims' })
    return
  }
  if (caller.kind === 'customer')
    throw new Problem('role-required', { detail: `Nobody gives themselves a ${said}`, pointer: '/configuration_ids' })
  if (claims === null || types.size > 1)
    throw new Problem('invalid-request', { detail: `A ${said} is offered alone and with claims`, pointer: '/claims' })
  checkClaims(said, claims, { complete: true })
}

import type { CallerKind } from '@tillit/http'
import type { CredentialType } from '@tillit/schemas'
import { credentialExpiry } from './credential-expiry.ts'
import { requireRoot } from './issue-credential.ts'
import type { Context } from './ports.ts'
import type { Writer } from './store.ts'

export interface Holder {
  kind: CallerKind
  /** A DID, or the opaque id of a customer. */
  id: string
}

/** One thing that may be said about a holder: what OpenID4VCI calls a Credential Dataset. */
export interface Fact {
  /** Which thing it is about, under an opaque id. */
  resource: string
  claims: Record<string, unknown>
  /** Who says it, and so may offer it. */
  issuerDid: string
  expires?: Date
}

/**
 * What a type can say about a holder now; nothing when the holder has none of it. Inside a transaction, so that what is issued
 * is true when it is issued.
 */
export async function factsAbout(
  writer: Writer,
  context: Context,
  { holder, type }: { holder: Holder; type: CredentialType },
): Promise<Fact[]> {
  switch (type) {
    case 'MeteringPointEntitlement':
      return holder.kind === 'customer' ? entitlements(writer, holder.id, context.now()) : []
    case 'MeterDeviceCredential':
      return holder.kind === 'device' ? deviceFacts(writer, holder.id) : []
    case 'OrganisationCredential':
      return holder.kind === 'organisation' ? organisationFacts(writer, holder.id) : []
    default:
      return (await context.openid4vci.factsOf?.(type, holder)) ?? []
  }
}

async function entitlements(writer: Writer, customerId: string, now: Date): Promise<Fact[]> {
  const points = await writer.entitlementsOf(customerId, now)
  return points.map((point) => ({
    resource: point.id,
    claims: { gsrn: point.gsrn, metering_point: point.id, role: point.role, from: point.valid_from.toISOString() },
    issuerDid: point.utility_did,
    expires: credentialExpiry(now, point.valid_to),
  }))
}

async function deviceFacts(writer: Writer, did: string): Promise<Fact[]> {
  const device = await writer.device(did)
  if (device?.status !== 'ACTIVE' || device.claims === null) return []
  const { metering_point: resource } = device.claims
  const issuerDid = typeof resource === 'string' ? await writer.utilityOf(resource) : undefined
  if (typeof resource !== 'string' || issuerDid === undefined) return []
  return [{ resource, claims: device.claims, issuerDid }]
}

async function organisationFacts(writer: Writer, did: string): Promise<Fact[]> {
  // A suspension that is under way must see this credential, or this must see the suspension.
  await writer.lockParty(did)
  const party = await writer.party(did)
  if (party?.status !== 'ACTIVE') return []
  const claims = {
    legal_name: party.name,
    registration_number: party.registration_number,
    country: party.country,
    roles: party.roles,
    purposes: party.purposes,
  }
  return [{ resource: 'accreditation', claims, issuerDid: await requireRoot(writer) }]
}

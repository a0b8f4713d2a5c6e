import type { Caller } from '@tillit/http'
import { Problem } from '@tillit/problem'
import type { CredentialRequest } from '@tillit/schemas'
import type { Static } from 'typebox'
import { credentialExpiry } from './credential-expiry.ts'
import { type CredentialOrder, issueWithin } from './issue-credential.ts'
import { consumeNonce } from './issue-nonce.ts'
import type { Context } from './ports.ts'
import type { Writer } from './store.ts'
import { type ProvenHolder, verifyProof } from './verify-proof.ts'

/** What each kind of caller may ask for itself; everything else is issued by those who decide it. */
const ownType = {
  customer: 'MeteringPointEntitlement',
  device: 'MeterDeviceCredential',
  organisation: 'OrganisationCredential',
} as const

/**
 * A wallet asks for its own credentials (OpenID4VCI 1.0 section 8): a person one for each metering point, a device or an
 * organisation its one. Throws Problem role-required, the Problems of verifyProof, invalid-nonce, metering-point-not-found,
 * device-not-active, party-not-active and those of issuing.
 */
export async function requestCredential(
  context: Context,
  caller: Caller,
  request: Static<typeof CredentialRequest>,
): Promise<{ credentials: { credential: string }[] }> {
  if (request.credential_configuration_id !== ownType[caller.kind]) {
    throw new Problem('role-required', {
      detail: `This caller can be issued: ${ownType[caller.kind]}`,
      pointer: '/credential_configuration_id',
    })
  }
  const [proof = ''] = request.proofs.jwt
  const holder = await verifyProof(proof, caller, context)
  return context.store.write(async (writer) => {
    await consumeNonce(writer, holder.nonce, context.now())
    const credentials: { credential: string }[] = []
    for (const order of await ordersFor(writer, caller, { holder: holderOf(holder), now: context.now() })) {
      const { credential } = await issueWithin(writer, context, order)
      credentials.push({ credential })
    }
    return { credentials }
  })
}

interface Asking {
  holder: CredentialOrder['holder']
  now: Date
}

function holderOf({ jwk, did }: ProvenHolder): CredentialOrder['holder'] {
  return did === undefined ? { jwk } : { jwk, did }
}

function ordersFor(writer: Writer, caller: Caller, asking: Asking): Promise<CredentialOrder[]> {
  switch (caller.kind) {
    case 'customer':
      return entitlements(writer, caller.id, asking)
    case 'device':
      return deviceCredential(writer, caller.id, asking)
    case 'organisation':
      return organisationCredential(writer, caller.id, asking)
  }
}

async function entitlements(writer: Writer, customerId: string, { holder, now }: Asking): Promise<CredentialOrder[]> {
  const points = await writer.entitlementsOf(customerId, now)
  if (points.length === 0) throw new Problem('metering-point-not-found', { detail: 'No metering point is held' })
  return points.map((point) => ({
    type: 'MeteringPointEntitlement',
    holder,
    customerId,
    claims: { gsrn: point.gsrn, metering_point: point.id, role: point.role, from: point.valid_from.toISOString() },
    expires: credentialExpiry(now, point.valid_to),
  }))
}

async function deviceCredential(writer: Writer, did: string, { holder }: Asking): Promise<CredentialOrder[]> {
  const device = await writer.device(did)
  if (device?.status !== 'ACTIVE' || device.claims === null) throw new Problem('device-not-active')
  return [{ type: 'MeterDeviceCredential', holder, claims: device.claims }]
}

async function organisationCredential(writer: Writer, did: string, { holder }: Asking): Promise<CredentialOrder[]> {
  // A suspension that is under way must see this credential, or this must see the suspension.
  await writer.lockParty(did)
  const party = await writer.party(did)
  if (party?.status !== 'ACTIVE') throw new Problem('party-not-active')
  const claims = {
    legal_name: party.name,
    registration_number: party.registration_number,
    country: party.country,
    roles: party.roles,
    purposes: party.purposes,
  }
  return [{ type: 'OrganisationCredential', holder, claims }]
}

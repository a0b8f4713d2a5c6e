import { Problem } from '@tillit/problem'
import { type Accreditation, type OrganisationClaims, type Party, purposeCatalogue } from '@tillit/schemas'
import { needsRenewal } from './credential-expiry.ts'
import { changeStatus, issueWithin, requireRoot } from './issue-credential.ts'
import type { Context } from './ports.ts'
import type { StoredParty } from './read-store.ts'
import { holderKey, readParty, requireRegistrar, toParty } from './trust-registry.ts'

const knownPurposes = new Set(purposeCatalogue.purposes.map(({ code }) => code))

/**
 * The registrar accredits an organisation: it becomes an active party and holds an OrganisationCredential from the root.
 * The same accreditation again changes nothing, except that it renews a credential that ends soon; another one replaces the
 * credential and revokes the old. Throws Problem role-required, unknown-purpose, conflict (suspended), and what resolving
 * the DID throws.
 */
export async function accreditOrganisation(
  context: Context,
  registrarDid: string,
  { did, claims }: Accreditation,
): Promise<Party> {
  await requireRegistrar(context, registrarDid)
  const rootDid = await requireRoot(context.store)
  claims.purposes.forEach((code, index) => {
    if (!knownPurposes.has(code)) throw new Problem('unknown-purpose', { pointer: `/claims/purposes/${index}` })
  })
  if (did === rootDid) throw new Problem('conflict', { detail: 'The root accredits itself when the city is made' })
  const jwk = await holderKey(context, did)
  return context.store.write(async (writer) => {
    await writer.lockParty(did)
    const current = await writer.party(did)
    if (current?.status === 'SUSPENDED') {
      throw new Problem('conflict', { detail: 'The organisation is suspended; that must be lifted first' })
    }
    const now = context.now()
    const same = current?.status === 'ACTIVE' && sameClaims(current, claims)
    if (same && !needsRenewal(current.credential_expires_at, now)) return toParty(current)
    // A credential that is only renewed stays good until its end; one that says what no longer holds does not.
    for (const old of same ? [] : await writer.credentialsOf(did, 'OrganisationCredential')) {
      await changeStatus(writer, context, old, { status: 'revoked', actor: registrarDid })
    }
    const { id, credential } = await issueWithin(writer, context, {
      type: 'OrganisationCredential',
      issuerDid: rootDid,
      holder: { did, jwk },
      claims,
    })
    const party = partyOf(did, claims, { credentialId: id, now })
    await writer.saveParty(party)
    const event = { did, event: 'accredited', actor: registrarDid, credential_id: id, at: now } as const
    await writer.addAccreditationEvent(event, claims)
    return toParty({ ...party, credential })
  })
}

export interface Root {
  did: string
  legalName: string
  registrationNumber: string
  country: string
}

/**
 * Makes the registrar the root of trust, accredited by itself. Idempotent for the same DID; throws Problem
 * invalid-configuration when the city has another root.
 */
export async function bootstrapRoot(context: Context, root: Root): Promise<Party> {
  const { did } = root
  const current = await context.store.party(did)
  if (current?.is_root && !needsRenewal(current.credential_expires_at, context.now())) return toParty(current)
  const jwk = await holderKey(context, did)
  const claims: OrganisationClaims = {
    legal_name: root.legalName,
    registration_number: root.registrationNumber,
    country: root.country,
    roles: ['trust_registrar'],
    purposes: [],
  }
  await context.store.write(async (writer) => {
    await writer.lockParty('root')
    const settled = await writer.rootDid()
    if (settled !== undefined && settled !== did) {
      throw new Problem('invalid-configuration', { detail: 'The city already has another registrar as its root' })
    }
    const meanwhile = await writer.party(did)
    const now = context.now()
    if (meanwhile?.is_root && !needsRenewal(meanwhile.credential_expires_at, now)) return
    const { id } = await issueWithin(writer, context, {
      type: 'OrganisationCredential',
      issuerDid: did,
      holder: { did, jwk },
      claims,
    })
    await writer.saveParty({ ...partyOf(did, claims, { credentialId: id, now }), is_root: true })
    await writer.addAccreditationEvent({ did, event: 'accredited', actor: did, credential_id: id, at: now }, claims)
  })
  return readParty(context, did)
}

function partyOf(did: string, claims: OrganisationClaims, { credentialId, now }: { credentialId: string; now: Date }) {
  return {
    did,
    name: claims.legal_name,
    registration_number: claims.registration_number,
    country: claims.country,
    roles: claims.roles,
    purposes: claims.purposes,
    status: 'ACTIVE' as const,
    credential_id: credentialId,
    changed_at: now,
  }
}

function sameClaims(party: StoredParty, claims: OrganisationClaims): boolean {
  return (
    party.name === claims.legal_name &&
    party.registration_number === claims.registration_number &&
    party.country === claims.country &&
    sameSet(party.roles, claims.roles) &&
    sameSet(party.purposes, claims.purposes)
  )
}

function sameSet(a: string[], b: string[]): boolean {
  return a.length === b.length && a.every((item) => b.includes(item))
}

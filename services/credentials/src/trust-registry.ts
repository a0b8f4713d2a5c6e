import { resolveDocument } from '@tillit/credential'
import { verificationKeys } from '@tillit/did'
import { toPublicJwk } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import type { Party, PublicJwk } from '@tillit/schemas'
import type { Context } from './ports.ts'
import type { StoredParty } from './read-store.ts'

/** A party as the trust registry shows it. Organisations only, so it is public. */
export function toParty(row: Omit<StoredParty, 'is_root' | 'changed_at' | 'credential_expires_at'>): Party {
  return {
    did: row.did,
    name: row.name,
    registration_number: row.registration_number,
    country: row.country,
    roles: row.roles,
    purposes: row.purposes,
    status: row.status,
    credential: row.credential,
  }
}

/** Throws Problem not-found. */
export async function readParty({ store }: Pick<Context, 'store'>, did: string): Promise<Party> {
  const party = await store.party(did)
  if (!party) throw new Problem('not-found', { detail: 'The trust registry does not know this organisation' })
  return toParty(party)
}

/** Throws Problem role-required unless the DID is an active registrar. */
export async function requireRegistrar({ store }: Pick<Context, 'store'>, did: string): Promise<void> {
  const party = await store.party(did)
  if (party?.status !== 'ACTIVE' || !party.roles.includes('trust_registrar')) {
    throw new Problem('role-required', { detail: 'This is for the registrar' })
  }
}

/** The key under which an organisation or device presents: its first for authentication. Throws Problem invalid-key. */
export async function holderKey({ resolveDid }: Context, did: string): Promise<PublicJwk> {
  const document = await resolveDocument(did, resolveDid)
  const [first] = [...verificationKeys(document, 'authentication'), ...verificationKeys(document, 'assertionMethod')]
  if (!first) throw new Problem('invalid-key', { detail: 'The DID has no key that it could hold a credential with' })
  return toPublicJwk(first.key)
}

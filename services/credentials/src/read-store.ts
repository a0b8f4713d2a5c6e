import type { CredentialStatus } from '@tillit/credential'
import type { Kysely, Selectable } from 'kysely'
import type { CredentialsTables, PartyRow } from './tables.ts'

type Handle = Kysely<CredentialsTables>

/** A party with its OrganisationCredential and when that expires. */
export type StoredParty = Selectable<PartyRow> & { credential: string | null; credential_expires_at: Date | null }

export type Reader = ReturnType<typeof createReader>

/** The service's questions to the database, on its pool or inside a transaction. */
export function createReader(db: Handle) {
  return {
    party: (did: string): Promise<StoredParty | undefined> => parties(db).where('p.did', '=', did).executeTakeFirst(),

    async rootDid(): Promise<string | undefined> {
      const row = await db
        .selectFrom('credentials.parties')
        .select('did')
        .where('is_root', '=', true)
        .executeTakeFirst()
      return row?.did
    },

    listParties(after: string, limit: number): Promise<StoredParty[]> {
      return parties(db).where('p.did', '>', after).orderBy('p.did').limit(limit).execute()
    },

    /** The status of an issued credential by its place in a list; undefined when nothing was issued there. */
    async statusAt(listId: number, idx: number): Promise<CredentialStatus | undefined> {
      const row = await db
        .selectFrom('credentials.issued_credentials')
        .select('status')
        .where('status_list_id', '=', listId)
        .where('status_index', '=', idx)
        .executeTakeFirst()
      return row?.status
    },

    async statusListVersion(id: number): Promise<number | undefined> {
      const row = await db
        .selectFrom('credentials.status_lists')
        .select('version')
        .where('id', '=', id)
        .executeTakeFirst()
      return row?.version
    },

    statusList(id: number): Promise<{ version: number; bitmap: Uint8Array } | undefined> {
      return db
        .selectFrom('credentials.status_lists')
        .select(['version', 'bitmap'])
        .where('id', '=', id)
        .executeTakeFirst()
    },

    async concerns(credentialId: string): Promise<{ issuer_did: string; holder: string } | undefined> {
      return db
        .selectFrom('credentials.issued_credentials')
        .select(['issuer_did', 'holder'])
        .where('id', '=', credentialId)
        .executeTakeFirst()
    },

    /** Whether a DID is a key of that customer's wallet, or was one. */
    async isWalletOf(customerId: string, did: string): Promise<boolean> {
      const row = await db
        .selectFrom('permissions.customer_key_v1')
        .select('did')
        .where('customer_id', '=', customerId)
        .where('did', '=', did)
        .executeTakeFirst()
      return row !== undefined
    },

    /** What happened to a credential, in its order: nothing is ever taken out, so a place in it is a number for good. */
    statusEvents(credentialId: string) {
      return db
        .selectFrom('credentials.status_events')
        .select(['entry', 'salt', 'commitment'])
        .where('credential_id', '=', credentialId)
        .orderBy('id')
        .execute()
    },

    /** The metering points that a customer is entitled to at that time, with the utility that says so. */
    entitlementsOf(customerId: string, at: Date) {
      return db
        .selectFrom('metering.entitlement_v1 as e')
        .innerJoin('metering.metering_point_v1 as m', 'm.id', 'e.metering_point_id')
        .select(['m.id', 'm.gsrn', 'm.utility_did', 'e.role', 'e.valid_from', 'e.valid_to'])
        .where('e.customer_id', '=', customerId)
        .where('e.valid_from', '<=', at)
        .where((eb) => eb.or([eb('e.valid_to', 'is', null), eb('e.valid_to', '>', at)]))
        .orderBy('m.id')
        .execute()
    },

    /** Where a device belongs now, and the claims of its newest credential for that place. */
    device(did: string) {
      return db
        .selectFrom('metering.device_v1 as d')
        .leftJoin('credentials.issued_credentials as c', (join) =>
          join
            .onRef('c.holder', '=', 'd.did')
            .onRef('c.metering_point_id', '=', 'd.metering_point_id')
            .on('c.type', '=', 'MeterDeviceCredential')
            .on('c.status', '=', 'valid'),
        )
        .select(['d.status', 'c.claims'])
        .where('d.did', '=', did)
        .orderBy('c.issued_at', 'desc')
        .limit(1)
        .executeTakeFirst()
    },

    async utilityOf(meteringPointId: string): Promise<string | undefined> {
      const row = await db
        .selectFrom('metering.metering_point_v1')
        .select('utility_did')
        .where('id', '=', meteringPointId)
        .executeTakeFirst()
      return row?.utility_did
    },
  }
}

function parties(db: Handle) {
  return db
    .selectFrom('credentials.parties as p')
    .leftJoin('credentials.issued_credentials as c', 'c.id', 'p.credential_id')
    .selectAll('p')
    .select(['c.credential', 'c.expires_at as credential_expires_at'])
}

import type { CredentialStatus } from '@tillit/credential'
import type { PartyRole } from '@tillit/schemas'
import { type Kysely, type Selectable, sql } from 'kysely'
import type { CompromisedKeyRow, CredentialsTables, PartyRow } from './tables.ts'

type Handle = Kysely<CredentialsTables>

/** A party with its OrganisationCredential and when that expires. */
export type StoredParty = Selectable<PartyRow> & { credential: string | null; credential_expires_at: Date | null }

/** The last thing that was decided about an organisation by a time, and what it was accredited for then. */
export interface AccreditationAt {
  event: 'accredited' | 'suspended' | 'reinstated' | 'removed'
  roles: PartyRole[]
  purposes: string[]
}

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

    /** Active organisations with any of the roles. */
    async activeWithRoles(roles: PartyRole[], after: string, limit: number): Promise<string[]> {
      const rows = await db
        .selectFrom('credentials.parties')
        .select('did')
        .where('status', '=', 'ACTIVE')
        .where(sql<boolean>`roles && ${roles}::text[]`)
        .where('did', '>', after)
        .orderBy('did')
        .limit(limit)
        .execute()
      return rows.map(({ did }) => did)
    },

    accreditationEvents(did: string, { after, limit }: { after: number; limit: number }) {
      return db
        .selectFrom('credentials.accreditation_events')
        .select(['event', 'actor', 'at', 'credential_id', 'roles', 'purposes'])
        .where('did', '=', did)
        .orderBy('id')
        .offset(after)
        .limit(limit)
        .execute()
    },

    /** How an organisation stood at a time; undefined before its first accreditation. */
    async accreditationAt(did: string, at: Date): Promise<AccreditationAt | undefined> {
      const events = () =>
        db
          .selectFrom('credentials.accreditation_events')
          .where('did', '=', did)
          .where('at', '<=', at)
          .orderBy('id', 'desc')
          .limit(1)
      const last = await events().select('event').executeTakeFirst()
      const accredited = await events()
        .where('event', '=', 'accredited')
        .select(['roles', 'purposes'])
        .executeTakeFirst()
      if (!last || !accredited) return undefined
      return { event: last.event, roles: accredited.roles ?? [], purposes: accredited.purposes ?? [] }
    },

    compromisedKeys(): Promise<{ did: string; jkt: string }[]> {
      return db.selectFrom('credentials.compromised_keys').select(['did', 'jkt']).orderBy('at').execute()
    },

    compromisedKeysOf(did: string): Promise<CompromisedKeyRow[]> {
      return db
        .selectFrom('credentials.compromised_keys')
        .selectAll()
        .where('did', '=', did)
        .orderBy('at')
        .orderBy('jkt')
        .execute()
    },

    async keyIsCompromised(did: string, jkt: string): Promise<boolean> {
      const row = await db
        .selectFrom('credentials.compromised_keys')
        .select('jkt')
        .where('did', '=', did)
        .where('jkt', '=', jkt)
        .executeTakeFirst()
      return row !== undefined
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

    /** Lines of a run that became credentials already, with what is needed to sign those once more. */
    bulkLines(issuerDid: string, run: string, lines: readonly number[]) {
      return db
        .selectFrom('credentials.bulk_lines as b')
        .innerJoin('credentials.issued_credentials as c', 'c.id', 'b.credential_id')
        .select(['b.line', 'b.sha256', 'c.id', 'c.status', 'c.status_list_id', 'c.status_index'])
        .select(['c.issued_at', 'c.expires_at'])
        .where('b.issuer_did', '=', issuerDid)
        .where('b.run', '=', run)
        .where(sql<boolean>`b.line = ANY(${lines}::integer[])`)
        .execute()
    },

    /** Metering points of a utility by their ids or numbers. */
    meteringPointsOf(utilityDid: string, { ids, gsrns }: { ids: readonly string[]; gsrns: readonly string[] }) {
      return db
        .selectFrom('metering.metering_point_v1')
        .select(['id', 'gsrn'])
        .where('utility_did', '=', utilityDid)
        .where(sql<boolean>`(id = ANY(${ids}::text[]) OR gsrn = ANY(${gsrns}::text[]))`)
        .execute()
    },

    async statusListIds(): Promise<number[]> {
      const rows = await db.selectFrom('credentials.status_lists').select('id').orderBy('id').execute()
      return rows.map(({ id }) => id)
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

    /** Entitlement credentials of customers that outlive what they say, by the register of metering. */
    async endedEntitlements(at: Date, limit: number): Promise<string[]> {
      const { rows } = await sql<{ id: string }>`
        SELECT c.id FROM credentials.issued_credentials c
        WHERE c.type = 'MeteringPointEntitlement' AND c.status <> 'revoked' AND c.expires_at > ${at}
          AND EXISTS (
            SELECT FROM metering.entitlement_v1 e
            WHERE e.metering_point_id = c.metering_point_id AND e.customer_id = c.holder AND e.valid_to <= ${at})
          AND NOT EXISTS (
            SELECT FROM metering.entitlement_v1 e
            WHERE e.metering_point_id = c.metering_point_id AND e.customer_id = c.holder
              AND e.valid_from <= ${at} AND (e.valid_to IS NULL OR e.valid_to > ${at}))
        ORDER BY c.id LIMIT ${limit}`.execute(db)
      return rows.map(({ id }) => id)
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

import type { Kysely } from 'kysely'
import type { IssuedCredential } from '../store.ts'
import type { CredentialsTables } from '../tables.ts'

type Handle = Kysely<CredentialsTables>

export interface VcApiTables {
  'credentials.vc_api_names': { issuer_did: string; sha256: Uint8Array; credential_id: string }
}

export type NamedCredential = Pick<IssuedCredential, 'id' | 'status' | 'status_list_id' | 'status_index'>

/** The names by which issuers speak of what they issued by VC-API. */
export function createVcApiReader(db: Handle) {
  return {
    vcApiCredential(issuerDid: string, sha256: Uint8Array): Promise<NamedCredential | undefined> {
      return db
        .selectFrom('credentials.vc_api_names as named')
        .innerJoin('credentials.issued_credentials as issued', 'issued.id', 'named.credential_id')
        .select(['issued.id', 'issued.status', 'issued.status_list_id', 'issued.status_index'])
        .where('named.issuer_did', '=', issuerDid)
        .where('named.sha256', '=', Buffer.from(sha256))
        .executeTakeFirst()
    },
  }
}

export function createVcApiWriter(transaction: Handle) {
  return {
    /** False when the issuer has given the name to another credential. */
    async addVcApiName(name: { issuerDid: string; sha256: Uint8Array; credentialId: string }): Promise<boolean> {
      const { numInsertedOrUpdatedRows } = await transaction
        .insertInto('credentials.vc_api_names')
        .values({ issuer_did: name.issuerDid, sha256: Buffer.from(name.sha256), credential_id: name.credentialId })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst()
      return numInsertedOrUpdatedRows === 1n
    },
  }
}

import { createHash, randomBytes } from 'node:crypto'
import { administer } from '@tillit/database'

/**
 * In this test's database the views that other services publish become plain tables, so that rows can be written without knowing
 * those services' tables. Columns and grants are copied from the real views, so a change of the contract is felt here.
 */
export async function standInViews(url: string): Promise<void> {
  await standIn(
    url,
    'credentials.party_v1',
    'did text, name text, roles text[], purposes text[], status text, country text',
  )
  await standIn(url, 'metering.device_v1', 'did text, metering_point_id text, status text')
  await standIn(
    url,
    'credentials.offer_v1',
    'id text, code_sha256 bytea, issuer_state_sha256 bytea, tx_code_sha256 bytea, tx_code_salt bytea, holder text, configuration_ids text[], expires_at timestamptz, withdrawn boolean',
  )
}

export interface TestOffer {
  id: string
  /** Of a pre-authorized offer. */
  code?: string
  /** Of an authorization code offer. */
  issuerState?: string
  txCode?: string
  holder: string
  configurationIds: string[]
  expired?: boolean
}

export async function addOffer(url: string, offer: TestOffer): Promise<void> {
  const salt = randomBytes(16)
  const bytes = (text: string | undefined, ...before: Buffer[]) =>
    text === undefined ? 'null' : `'\\x${sha256(Buffer.concat([...before, Buffer.from(text)]))}'`
  const values = [
    ...[quote(offer.id), bytes(offer.code), bytes(offer.issuerState), bytes(offer.txCode, salt)],
    ...[offer.txCode === undefined ? 'null' : `'\\x${salt.toString('hex')}'`, quote(offer.holder)],
    ...[`array[${offer.configurationIds.map(quote).join(', ')}]::text[]`],
    ...[`now() + interval '${offer.expired ? -1 : 600} seconds'`, 'false'],
  ]
  await administer(
    url,
    `insert into credentials.offer_v1 (id, code_sha256, issuer_state_sha256, tx_code_sha256, tx_code_salt, holder,
       configuration_ids, expires_at, withdrawn) values (${values.join(', ')})`,
  )
}

export async function withdrawOffer(url: string, id: string): Promise<void> {
  await administer(url, `update credentials.offer_v1 set withdrawn = true where id = ${quote(id)}`)
}

export async function enlist(url: string, kind: 'party' | 'device', did: string, status: string): Promise<void> {
  const table = kind === 'party' ? 'credentials.party_v1' : 'metering.device_v1'
  await administer(url, `delete from ${table} where did = ${quote(did)}`)
  await administer(url, `insert into ${table} (did, status) values (${quote(did)}, ${quote(status)})`)
}

async function standIn(url: string, view: string, columns: string): Promise<void> {
  const [schema, name] = view.split('.')
  await administer(
    url,
    `do $$ begin
      if to_regclass('${view}') is null then
        create table ${view} (${columns});
        grant select on ${view} to tillit_authorization;
      else
        if not has_table_privilege('tillit_authorization', '${view}', 'select') then
          raise exception '${view} is not granted to the authorization service';
        end if;
        alter view ${view} rename to ${name}_published;
        create table ${view} (like ${schema}.${name}_published);
        grant select on ${view} to tillit_authorization;
      end if;
    end $$`,
  )
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

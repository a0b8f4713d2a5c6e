import { administer } from '@tillit/database'

/**
 * In this test's database the two views that other services publish become plain tables, so that rows can be written without knowing
 * those services' tables. Columns and grants are copied from the real views, so a change of the contract is felt here.
 */
export async function standInViews(url: string): Promise<void> {
  await standIn(
    url,
    'credentials.party_v1',
    'did text, name text, roles text[], purposes text[], status text, country text',
  )
  await standIn(url, 'metering.device_v1', 'did text, metering_point_id text, status text')
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

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

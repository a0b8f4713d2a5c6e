import { administer } from '@tillit/database'
import type { Scope } from '@tillit/schemas'

/**
 * In a test's own database the two views that other services publish to this one become plain tables, so that rows can be
 * written without knowing those services' tables. A view that exists gives its columns, so a change of the contract is felt here.
 */
export async function standInViews(url: string): Promise<void> {
  await standIn(
    url,
    'credentials.party_v1',
    'did text, name text, roles text[], purposes text[], status text, country text',
  )
  await standIn(
    url,
    'permissions.path_v1',
    `permission_id text, version integer, state text, party_did text, caller_did text, metering_point_id text,
     customer_id text, scope jsonb, root_statement text, chain jsonb, chain_digest text, chain_expires timestamptz,
     delegation_revoked boolean, intermediary_dids text[]`,
  )
}

export async function addParty(url: string, did: string, roles: string[], status = 'ACTIVE'): Promise<void> {
  await administer(
    url,
    `insert into credentials.party_v1 (did, name, roles, purposes, status, country)
     values (${quote(did)}, ${quote(`Name of ${did}`)}, ${quote(`{${roles.join(',')}}`)}, '{energy-advice}', ${quote(status)}, 'NO')`,
  )
}

export interface Path {
  permission: string
  party: string
  caller?: string
  point: string
  customer: string
  scope: Scope
  state?: string
  delegationRevoked?: boolean
  /** Delegatees between party and caller. */
  intermediaries?: string[]
}

export async function addPath(url: string, path: Path): Promise<void> {
  const { permission, party, caller = party, point, customer, scope, state = 'ACTIVE' } = path
  await administer(
    url,
    `insert into permissions.path_v1 (permission_id, version, state, party_did, caller_did, metering_point_id, customer_id,
       scope, root_statement, chain, chain_digest, chain_expires, delegation_revoked, intermediary_dids)
     values (${quote(permission)}, 1, ${quote(state)}, ${quote(party)}, ${quote(caller)}, ${quote(point)}, ${quote(customer)},
       ${quote(JSON.stringify(scope))}, 'root', '["root"]', 'digest', ${quote(scope.expires)}, ${path.delegationRevoked ?? false},
       ${quote(`{${(path.intermediaries ?? []).map((did) => JSON.stringify(did)).join(',')}}`)})`,
  )
}

export async function setState(url: string, permission: string, state: string): Promise<void> {
  await administer(
    url,
    `update permissions.path_v1 set state = ${quote(state)} where permission_id = ${quote(permission)}`,
  )
}

async function standIn(url: string, view: string, columns: string): Promise<void> {
  const [schema, name] = view.split('.')
  await administer(
    url,
    `do $$ begin
      if to_regclass('${view}') is null then
        create table ${view} (${columns});
      else
        if not has_table_privilege('tillit_metering', '${view}', 'select') then
          raise exception '${view} is not granted to the metering service';
        end if;
        alter view ${view} rename to ${name}_published;
        create table ${view} (like ${schema}.${name}_published);
      end if;
      grant select on ${view} to tillit_metering;
      grant select, update on ${view} to tillit_permissions;
    end $$`,
  )
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

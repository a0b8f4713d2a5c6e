import { administer } from '@tillit/database'

/**
 * In this test's database the views that metering and permissions publish become plain tables, so that rows can be written without knowing
 * that service's tables. Columns and grants are those of the real views, so a change of the contract is felt here.
 */
export async function standInViews(url: string): Promise<void> {
  for (const view of [
    'metering.metering_point_v1',
    'metering.entitlement_v1',
    'metering.device_v1',
    'permissions.customer_key_v1',
  ]) {
    const [schema, name] = view.split('.')
    await administer(
      url,
      `do $$ begin
        if not has_table_privilege('tillit_credentials', '${view}', 'select') then
          raise exception '${view} is not granted to the credentials service';
        end if;
        alter view ${view} rename to ${name}_published;
        create table ${view} (like ${schema}.${name}_published);
        grant select on ${view} to tillit_credentials;
      end $$`,
    )
  }
}

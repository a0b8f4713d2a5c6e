import { administer } from '@tillit/database'

/**
 * In this test's database the views that metering publishes become plain tables, so that rows can be written without knowing
 * that service's tables. Columns and grants are those of the real views, so a change of the contract is felt here.
 */
export async function standInViews(url: string): Promise<void> {
  for (const name of ['metering_point_v1', 'entitlement_v1', 'device_v1']) {
    await administer(
      url,
      `do $$ begin
        if not has_table_privilege('tillit_credentials', 'metering.${name}', 'select') then
          raise exception 'metering.${name} is not granted to the credentials service';
        end if;
        alter view metering.${name} rename to ${name}_published;
        create table metering.${name} (like metering.${name}_published);
        grant select on metering.${name} to tillit_credentials;
      end $$`,
    )
  }
}

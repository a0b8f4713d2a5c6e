-- Deleting the salt of an entry unlinks it from its leaf for good. That is the one change that what was recorded allows.
create function metering.only_erase_salt() returns trigger language plpgsql as $$
begin
  if new.salt is null and to_jsonb(new) - 'salt' = to_jsonb(old) - 'salt' then return new; end if;
  raise exception 'access records and batches are append-only';
end $$;

-- Named columns, so that a statement which touches them is refused even where it finds no row.
drop trigger access_records_append_only on metering.access_records;
create trigger access_records_append_only
  before update of id, at, metering_point_id, caller_id, data_from, data_to, entry, commitment or delete or truncate
  on metering.access_records for each statement execute function metering.refuse_change();
create trigger access_records_only_erase before update on metering.access_records
  for each row execute function metering.only_erase_salt();

create trigger device_batches_append_only
  before update of device_did, seq, sha256, stored, duplicates, entry, commitment, accepted_at or delete or truncate
  on metering.device_batches for each statement execute function metering.refuse_change();
create trigger device_batches_only_erase before update on metering.device_batches
  for each row execute function metering.only_erase_salt();

create or replace function metering.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'access records and batches are append-only';
end $$;

-- Deleting the salt of an entry unlinks it from its leaf for good. That is the one change that what was recorded allows.
alter table credentials.status_events alter column salt drop not null;

create function credentials.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'status events are append-only';
end $$;
create function credentials.only_erase_salt() returns trigger language plpgsql as $$
begin
  if new.salt is null and to_jsonb(new) - 'salt' = to_jsonb(old) - 'salt' then return new; end if;
  raise exception 'status events are append-only';
end $$;

-- Named columns, so that a statement which touches them is refused even where it finds no row.
create trigger status_events_append_only before update of id, credential_id, entry, commitment or delete or truncate
  on credentials.status_events for each statement execute function credentials.refuse_change();
create trigger status_events_only_erase before update on credentials.status_events
  for each row execute function credentials.only_erase_salt();

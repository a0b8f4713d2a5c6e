-- What the registrar accredited at each time: so that the trust registry can answer for the past too.
alter table credentials.accreditation_events
  add column roles    text[],
  add column purposes text[];
create index accreditation_events_did on credentials.accreditation_events (did, id);
-- Of what was accredited before this was written down, the last is known.
update credentials.accreditation_events e set roles = p.roles, purposes = p.purposes
  from credentials.parties p where p.did = e.did and e.event = 'accredited';
alter table credentials.accreditation_events
  add check (event <> 'accredited' or (roles is not null and purposes is not null));

-- Keys that somebody else may hold: nothing that they signed is believed. Never taken back: the owner makes another key.
create table credentials.compromised_keys (
  did        text not null,
  jkt        text not null check (jkt ~ '^[A-Za-z0-9_-]{43}$'),
  -- The signed statement (key-compromise+jwt), and who signed it.
  statement  text not null,
  stated_by  text not null,
  at         timestamptz not null,
  -- What opens its leaf in the log.
  entry      jsonb not null,
  salt       bytea not null check (length(salt) = 16),
  commitment bytea not null unique check (length(commitment) = 32),
  primary key (did, jkt)
);
create function credentials.refuse_taking_back() returns trigger language plpgsql as $$
begin
  raise exception 'a report of a compromised key is never taken back';
end $$;
create trigger compromised_keys_append_only before update or delete or truncate
  on credentials.compromised_keys for each statement execute function credentials.refuse_taking_back();

-- Which line of whose run became which credential, so that a run that was cut off issues nothing twice.
create table credentials.bulk_lines (
  issuer_did    text not null,
  run           text not null check (run ~ '^run_[A-Za-z0-9_-]{22}$'),
  line          integer not null check (line > 0),
  -- SHA-256 of the line as it was asked for: another one under the same number is a mistake.
  sha256        bytea not null check (length(sha256) = 32),
  credential_id text not null references credentials.issued_credentials,
  primary key (issuer_did, run, line)
);

-- An index is taken once (the primary key of status_index) and issued once (the unique key of issued_credentials). To look up and
-- lock a row of each of the others for every credential as well would only cost bulk issuing its speed.
alter table credentials.status_index drop constraint status_index_list_id_fkey;
alter table credentials.issued_credentials drop constraint issued_credentials_status_list_id_status_index_fkey;

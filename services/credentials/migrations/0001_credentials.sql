-- Status lists (IETF Token Status List): two bits a credential, least significant first. One list is open at a time.
create table credentials.status_lists (
  id        integer generated always as identity primary key,
  size      integer not null check (size >= 16 and size % 8 = 0 and size <= 16777216),
  bitmap    bytea not null,
  -- Counts changes of the bitmap; names the state of the list in its ETag.
  version   bigint not null default 0,
  opened_at timestamptz not null default now(),
  closed_at timestamptz,
  check (length(bitmap) * 4 = size)
);
create unique index status_lists_one_open on credentials.status_lists ((closed_at is null)) where closed_at is null;

-- Every index that was ever given out. The primary key is what makes "never twice" true.
create table credentials.status_index (
  list_id integer not null references credentials.status_lists,
  idx     integer not null check (idx >= 0),
  primary key (list_id, idx)
);

-- What was issued. Of people neither claims nor keys are kept: only what revoking needs.
create table credentials.issued_credentials (
  id                text primary key check (id ~ '^cred_[A-Za-z0-9_-]{22}$'),
  type              text not null,
  issuer_did        text not null,
  -- A DID, or the opaque id of a customer.
  holder            text not null,
  metering_point_id text,
  status            text not null default 'valid' check (status in ('valid', 'suspended', 'revoked')),
  status_list_id    integer not null,
  status_index      integer not null,
  sha256            bytea not null check (length(sha256) = 32),
  -- The credential itself, only of organisations: their accreditation is public.
  credential        text check (credential is null or type = 'OrganisationCredential'),
  -- The claims, only of devices: so that a device whose key has changed gets its credential again.
  claims            jsonb check (claims is null or type = 'MeterDeviceCredential'),
  issued_at         timestamptz not null,
  expires_at        timestamptz,
  unique (status_list_id, status_index),
  foreign key (status_list_id, status_index) references credentials.status_index
);
create index issued_credentials_holder on credentials.issued_credentials (holder, type);
create index issued_credentials_metering_point on credentials.issued_credentials (metering_point_id)
  where metering_point_id is not null;

-- The trust registry: organisations and what the registrar accredited them for.
create table credentials.parties (
  did                 text primary key,
  name                text not null,
  registration_number text not null,
  country             text not null check (country ~ '^[A-Z]{2}$'),
  roles               text[] not null check (cardinality(roles) > 0),
  purposes            text[] not null,
  status              text not null check (status in ('APPLIED', 'VETTED', 'ACTIVE', 'SUSPENDED', 'REMOVED')),
  credential_id       text references credentials.issued_credentials,
  is_root             boolean not null default false,
  changed_at          timestamptz not null
);
create unique index parties_one_root on credentials.parties (is_root) where is_root;

-- Who accredited, suspended or readmitted whom, and when.
create table credentials.accreditation_events (
  id            bigint generated always as identity primary key,
  did           text not null references credentials.parties,
  event         text not null check (event in ('accredited', 'suspended', 'reinstated', 'removed')),
  actor         text not null,
  credential_id text references credentials.issued_credentials,
  at            timestamptz not null
);

-- What opens the log's commitments to issuance and status changes.
create table credentials.status_events (
  id            bigint generated always as identity primary key,
  credential_id text not null references credentials.issued_credentials,
  entry         jsonb not null,
  salt          bytea not null check (length(salt) = 16),
  commitment    bytea not null unique check (length(commitment) = 32)
);
create index status_events_credential on credentials.status_events (credential_id);

-- Nonces that wait to be used once, by their SHA-256.
create table credentials.nonces (
  sha256     bytea primary key check (length(sha256) = 32),
  expires_at timestamptz not null
);
create index nonces_expires_at on credentials.nonces (expires_at);

-- Contract: who takes part in this city, as what, and whether they may act now (status ACTIVE).
create view credentials.party_v1 as
  select did, name, roles, purposes, status, country from credentials.parties;

grant select on credentials.party_v1 to tillit_permissions, tillit_metering, tillit_authorization;

-- Metering points, who is entitled to them, their devices, what was measured, and who read it.

create table metering.metering_points (
  id          text primary key check (id ~ '^mp_[A-Za-z0-9_-]{22}$'),
  gsrn        text not null unique check (gsrn ~ '^[0-9]{18}$'),
  grid_area   text not null,
  time_zone   text not null,
  utility_did text not null,
  created_at  timestamptz not null
);
create index metering_points_utility on metering.metering_points (utility_did, id);

-- Half open: `valid_to` is the first instant that is no longer theirs. Overlaps are refused under a lock on the point.
create table metering.entitlements (
  id                bigint generated always as identity primary key,
  metering_point_id text not null references metering.metering_points,
  customer_id       text not null check (customer_id ~ '^cust_[A-Za-z0-9_-]{22}$'),
  role              text not null check (role in ('holder', 'co-occupant')),
  valid_from        timestamptz not null,
  valid_to          timestamptz check (valid_to > valid_from)
);
create index entitlements_point on metering.entitlements (metering_point_id, customer_id);
create index entitlements_customer on metering.entitlements (customer_id);
create unique index entitlements_open on metering.entitlements (metering_point_id, customer_id) where valid_to is null;
create unique index entitlements_one_holder on metering.entitlements (metering_point_id) where valid_to is null and role = 'holder';

-- `last_seq` and `last_sha256` are the end of the device's chain of batches.
create table metering.devices (
  did               text primary key,
  metering_point_id text not null references metering.metering_points,
  model             text not null,
  serial            text not null,
  status            text not null check (status in ('ACTIVE', 'QUARANTINED')),
  credential        text not null,
  last_seq          integer not null default 0 check (last_seq >= 0),
  last_sha256       bytea check (length(last_sha256) = 32),
  enrolled_at       timestamptz not null,
  check ((last_seq = 0) = (last_sha256 is null))
);
create index devices_point on metering.devices (metering_point_id);

-- entry and salt open the commitment that went to the log.
create table metering.device_batches (
  device_did  text not null references metering.devices,
  seq         integer not null check (seq > 0),
  sha256      bytea not null check (length(sha256) = 32),
  stored      integer not null,
  duplicates  integer not null,
  entry       jsonb not null,
  salt        bytea check (length(salt) = 16),
  commitment  bytea not null check (length(commitment) = 32),
  accepted_at timestamptz not null,
  primary key (device_did, seq)
);

-- Values in thousandths of the product's unit. The key holds the start, so the table can be partitioned by time.
create table metering.readings (
  metering_point_id text not null,
  product           text not null,
  direction         text not null,
  start             timestamptz not null,
  duration_seconds  integer not null check (duration_seconds > 0),
  value_milli       bigint not null,
  quality           text not null check (quality in ('measured', 'estimated', 'adjusted', 'missing')),
  source            text not null,
  primary key (metering_point_id, product, direction, start),
  check (value_milli >= 0 or product not in ('active_energy', 'reactive_energy'))
);

-- One per decision. `entry` is the AccessRecord exactly as committed; the columns beside it are for finding it.
create table metering.access_records (
  id                text primary key check (id ~ '^ar_[A-Za-z0-9_-]{22}$'),
  at                timestamptz not null,
  metering_point_id text not null references metering.metering_points,
  caller_id         text not null,
  data_from         timestamptz not null,
  data_to           timestamptz not null,
  entry             jsonb not null,
  salt              bytea check (length(salt) = 16),
  commitment        bytea not null check (length(commitment) = 32)
);
-- What was decided stays as it was recorded, whatever a program tries.
create function metering.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'access records are append-only';
end $$;
create trigger access_records_append_only before update or delete or truncate on metering.access_records
  for each statement execute function metering.refuse_change();
create index access_records_point on metering.access_records (metering_point_id, at desc, id desc);
create index access_records_caller on metering.access_records (caller_id, at desc, id desc);

-- What other services may read in their own snapshots: contracts, so columns are only ever added.
create view metering.metering_point_v1 as
  select id, gsrn, utility_did, time_zone from metering.metering_points;
create view metering.entitlement_v1 as
  select metering_point_id, customer_id, role, valid_from, valid_to from metering.entitlements;
create view metering.device_v1 as
  select did, metering_point_id, status from metering.devices;
grant select on metering.metering_point_v1, metering.entitlement_v1, metering.device_v1
  to tillit_permissions, tillit_credentials;
grant select on metering.device_v1 to tillit_authorization;

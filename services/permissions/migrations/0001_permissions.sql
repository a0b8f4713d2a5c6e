-- Requests, permissions, their signed evidence and their history. What other services read are the views at the end.

create table permissions.permissions (
  id                     text primary key check (id ~ '^perm_[A-Za-z0-9_-]{22}$'),
  state                  text not null,
  version                integer not null default 1 check (version >= 1),
  party_did              text not null,
  party_name             text not null,
  party_key              text not null check (length(party_key) = 43),
  gsrn                   text not null check (gsrn ~ '^[0-9]{18}$'),
  requested_scope        jsonb not null,
  requested_scope_digest text not null check (length(requested_scope_digest) = 64),
  -- Known from the customer's answer on: before it, nothing tells the party whether the metering point exists.
  metering_point_id      text,
  customer_id            text,
  scope                  jsonb,
  root_statement         text,
  wallet_did             text,
  starts_at              timestamptz,
  expires_at             timestamptz,
  times_out_at           timestamptz not null,
  created_at             timestamptz not null,
  changed_at             timestamptz not null,
  check ((scope is null) = (root_statement is null)),
  check (state not in ('ACCEPTED', 'WAITING_FOR_START', 'ACTIVE', 'SUSPENDED', 'EXPIRED') or (
    scope is not null and customer_id is not null and metering_point_id is not null and expires_at is not null))
);

create index permissions_party on permissions.permissions (party_did, created_at desc, id desc);
create index permissions_customer on permissions.permissions (customer_id, created_at desc, id desc);
create index permissions_gsrn on permissions.permissions (gsrn) where customer_id is null;
create index permissions_metering_point on permissions.permissions (metering_point_id) where scope is not null;
create index permissions_pending on permissions.permissions (times_out_at)
  where state in ('UNABLE_TO_SEND', 'SENT_TO_PERMISSION_ADMINISTRATOR', 'AWAITING_CO_APPROVAL');
create index permissions_open on permissions.permissions (expires_at)
  where state in ('ACCEPTED', 'WAITING_FOR_START', 'ACTIVE', 'SUSPENDED');

-- Append only. `entry` is what the log's commitment opens to; deleting the salt unlinks the two for good.
create table permissions.permission_events (
  permission_id text not null references permissions.permissions (id),
  seq           integer not null check (seq >= 1),
  entry         jsonb not null,
  salt          bytea check (length(salt) = 16),
  commitment    bytea not null check (length(commitment) = 32),
  primary key (permission_id, seq)
);

create function permissions.refuse_change() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and new.salt is null
     and (new.permission_id, new.seq, new.entry, new.commitment) = (old.permission_id, old.seq, old.entry, old.commitment)
  then return new; end if;
  raise exception 'permission events are append-only';
end $$;
create trigger permission_events_append_only before update or delete on permissions.permission_events
  for each row execute function permissions.refuse_change();

-- What customers signed, exactly as it came. One signer never uses a jti twice.
create table permissions.statements (
  sha256        text primary key check (length(sha256) = 64),
  permission_id text not null references permissions.permissions (id),
  action        text not null check (action in ('accept', 'reject', 'revoke')),
  customer_id   text not null,
  signer_did    text not null,
  jti           text not null,
  statement     text not null,
  receipt       text,
  received_at   timestamptz not null,
  unique (signer_did, action, jti)
);

-- Wallet keys. A key belongs to one customer; an ended key stays here for what it signed.
create table permissions.customer_keys (
  did         text primary key,
  customer_id text not null,
  jwk         jsonb not null,
  binding     text not null,
  jti         text not null,
  valid_from  timestamptz not null,
  valid_to    timestamptz,
  unique (did, jti),
  check (valid_to is null or valid_to > valid_from)
);

create index customer_keys_customer on permissions.customer_keys (customer_id);

-- One row for each delegatee of each chain: registering a chain registers every chain it begins with.
create table permissions.delegations (
  chain_digest  text primary key check (length(chain_digest) = 64),
  permission_id text not null references permissions.permissions (id),
  jti           text not null,
  delegator_did text not null,
  delegatee_did text not null,
  -- SHA-256 of each hop as sent, root first.
  hop_digests   text[] not null check (cardinality(hop_digests) >= 2),
  chain         jsonb not null,
  scope         jsonb not null,
  expires_at    timestamptz not null,
  created_at    timestamptz not null,
  unique (delegator_did, jti)
);

create index delegations_permission on permissions.delegations (permission_id);

-- A revoked hop ends every chain that goes through it.
create table permissions.delegation_revocations (
  hop_digest    text primary key,
  permission_id text not null references permissions.permissions (id),
  delegator_did text not null,
  jti           text not null,
  revoked_at    timestamptz not null
);

-- Who must delete what they received, and by when.
create table permissions.erasure_obligations (
  permission_id text not null references permissions.permissions (id),
  recipient_did text not null,
  due_at        timestamptz not null,
  recorded_at   timestamptz not null,
  fulfilled_at  timestamptz,
  primary key (permission_id, recipient_did)
);

create table permissions.idempotency_keys (
  caller_did     text not null,
  key            text not null,
  request_sha256 text not null,
  permission_id  text not null references permissions.permissions (id),
  created_at     timestamptz not null,
  primary key (caller_did, key)
);

-- Contract with metering: every way from a permission to its data, one row for the party and one for each delegatee.
-- The state travels along, so that the reader can say why a read is refused; only ACTIVE lets data flow.
create view permissions.path_v1 as
  select p.id as permission_id, p.version, p.state, p.party_did, p.party_did as caller_did, p.metering_point_id,
         p.customer_id, p.scope, p.root_statement, jsonb_build_array(p.root_statement) as chain,
         encode(sha256(convert_to(p.root_statement, 'UTF8')), 'hex') as chain_digest,
         p.expires_at as chain_expires, false as delegation_revoked
    from permissions.permissions p
   where p.scope is not null
  union all
  select p.id, p.version, p.state, p.party_did, d.delegatee_did, p.metering_point_id,
         p.customer_id, d.scope, p.root_statement, d.chain, d.chain_digest,
         least(d.expires_at, p.expires_at),
         exists (select from permissions.delegation_revocations r where r.hop_digest = any (d.hop_digests))
    from permissions.delegations d
    join permissions.permissions p on p.id = d.permission_id
   where p.scope is not null;

-- Contract with credentials: which wallet keys are a customer's.
create view permissions.customer_key_v1 as
  select customer_id, did, jwk, valid_from, valid_to from permissions.customer_keys;

grant select on permissions.path_v1 to tillit_metering;
grant select on permissions.customer_key_v1 to tillit_credentials;
grant select on permissions.path_v1, permissions.customer_key_v1 to tillit_permissions;

-- The word authorization is reserved in SQL, so the schema's name is quoted everywhere.

-- What the OAuth server must remember: sessions, interactions, grants, codes, pushed requests, refresh tokens and the
-- one-time ids of assertions and proofs. `id` is the SHA-256 of the secret (base64url), never the secret itself.
create table "authorization".oauth_state (
  model       text not null,
  id          text not null check (length(id) = 43),
  payload     jsonb not null,
  grant_id    text,
  user_code   text,
  uid         text,
  expires_at  timestamptz not null,
  consumed_at timestamptz,
  primary key (model, id)
);

create index oauth_state_expires_at on "authorization".oauth_state (expires_at);
create index oauth_state_grant_id on "authorization".oauth_state (grant_id) where grant_id is not null;
create unique index oauth_state_user_code on "authorization".oauth_state (model, user_code) where user_code is not null;
create unique index oauth_state_uid on "authorization".oauth_state (model, uid) where uid is not null;

-- Who signed in with which electronic identity. Both columns are opaque: no name, no national number.
create table "authorization".persons (
  customer_id text primary key check (customer_id ~ '^cust_[A-Za-z0-9_-]{22}$'),
  eid         text not null,
  subject     text not null,
  created_at  timestamptz not null default now(),
  unique (eid, subject)
);

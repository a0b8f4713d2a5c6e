-- Credential offers (OpenID4VCI 1.0 section 4). The codes in them are derived from a secret that is not kept here.
create table credentials.offers (
  id                  text primary key check (id ~ '^offer_[A-Za-z0-9_-]{22}$'),
  -- Who made it: the DID of an organisation, or the opaque id of a customer who offers to their own wallet.
  offered_by          text not null,
  -- Whom it is for: the opaque id of a customer, or a DID.
  holder              text not null,
  configuration_ids   text[] not null check (cardinality(configuration_ids) > 0),
  -- Which of the holder's things it is about; null: whichever there is.
  resource            text,
  -- What is to be said, where only its maker knows it. Gone when the offer is withdrawn.
  claims              jsonb check (jsonb_typeof(claims) = 'object'),
  -- SHA-256 of the pre-authorized code, or of the issuer state of an authorization code offer.
  code_sha256         bytea unique check (length(code_sha256) = 32),
  issuer_state_sha256 bytea unique check (length(issuer_state_sha256) = 32),
  -- SHA-256 of salt and transaction code.
  tx_code_salt        bytea check (length(tx_code_salt) = 16),
  tx_code_sha256      bytea check (length(tx_code_sha256) = 32),
  created_at          timestamptz not null,
  expires_at          timestamptz not null check (expires_at > created_at),
  withdrawn_at        timestamptz,
  -- When something was issued under it for the first time.
  redeemed_at         timestamptz,
  check ((code_sha256 is null) <> (issuer_state_sha256 is null)),
  check ((tx_code_salt is null) = (tx_code_sha256 is null)),
  check (tx_code_sha256 is null or code_sha256 is not null)
);
create index offers_offered_by on credentials.offers (offered_by, id);
create index offers_expires_at on credentials.offers (expires_at);

-- What could not be issued at once (section 9), by the SHA-256 of its transaction id. Ends when the wallet has its credentials.
create table credentials.deferred_issuances (
  sha256           bytea primary key check (length(sha256) = 32),
  holder           text not null,
  configuration_id text not null,
  offer_id         text not null references credentials.offers,
  keys             jsonb not null check (jsonb_typeof(keys) = 'array'),
  expires_at       timestamptz not null
);
create index deferred_issuances_expires_at on credentials.deferred_issuances (expires_at);
create index deferred_issuances_offer on credentials.deferred_issuances (offer_id);

-- What a notification id stands for (section 11), by its SHA-256.
create table credentials.notifications (
  sha256         bytea primary key check (length(sha256) = 32),
  holder         text not null,
  credential_ids text[] not null check (cardinality(credential_ids) > 0),
  expires_at     timestamptz not null
);
create index notifications_expires_at on credentials.notifications (expires_at);

-- What wallets told. Their words are not kept: they may be about a person.
create table credentials.notification_events (
  sha256 bytea not null references credentials.notifications on delete cascade,
  event  text not null check (event in ('credential_accepted', 'credential_failure', 'credential_deleted')),
  at     timestamptz not null,
  primary key (sha256, event)
);

-- Contract: what the authorization server needs to redeem an offer. It keeps by itself which codes were used and how often a
-- transaction code was wrong.
create view credentials.offer_v1 as
  select id, code_sha256, issuer_state_sha256, tx_code_sha256, tx_code_salt, holder, configuration_ids, expires_at,
         withdrawn_at is not null as withdrawn
  from credentials.offers;

grant select on credentials.offer_v1 to tillit_authorization;

-- Presentations that organisations asked for. What wallets disclosed is personal data: rows are deleted at delete_at.
CREATE TABLE verifier.presentations (
  id                  text PRIMARY KEY CHECK (id ~ '^vp_[A-Za-z0-9_-]{22}$'),
  -- What the wallet knows; whoever has only this learns nothing of the result.
  request_id          text NOT NULL UNIQUE CHECK (request_id ~ '^vpr_[A-Za-z0-9_-]{22}$'),
  asked_by            text NOT NULL,
  -- In whose name the request is signed: a DID whose key is kept here, or null for the operator's certificate.
  signed_by           text,
  client_id           text NOT NULL,
  flow                text NOT NULL CHECK (flow IN ('same-device', 'cross-device')),
  redirect_uri        text,
  response_mode       text NOT NULL CHECK (response_mode IN ('direct_post.jwt', 'direct_post')),
  wallet_endpoint     text,
  purpose             text NOT NULL,
  query               jsonb NOT NULL,
  transaction_data    text[] NOT NULL,
  nonce               text NOT NULL CHECK (length(nonce) = 43),
  -- Private key for the one response, erased with it.
  encryption_key      jsonb,
  keep_result_seconds integer NOT NULL CHECK (keep_result_seconds > 0),
  created_at          timestamptz NOT NULL,
  expires_at          timestamptz NOT NULL CHECK (expires_at > created_at),
  fetched_at          timestamptz,
  answered_at         timestamptz,
  outcome             text CHECK (outcome IN ('proved', 'refused', 'declined')),
  result              jsonb,
  response_code_sha256 bytea CHECK (length(response_code_sha256) = 32),
  delete_at           timestamptz NOT NULL,
  CHECK ((flow = 'same-device') = (redirect_uri IS NOT NULL)),
  CHECK ((answered_at IS NULL) = (outcome IS NULL)),
  CHECK ((answered_at IS NULL) = (result IS NULL)),
  CHECK (answered_at IS NULL OR encryption_key IS NULL)
);
CREATE INDEX presentations_open ON verifier.presentations (asked_by, expires_at) WHERE answered_at IS NULL;
CREATE INDEX presentations_delete_at ON verifier.presentations (delete_at);

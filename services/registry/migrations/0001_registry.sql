-- Identifiers: one row a DID, one row an entry of its log. The state is that after the newest entry.
CREATE TABLE registry.dids (
  did text PRIMARY KEY,
  -- Last segment of the DID: where its did.jsonl is served, /dids/<slug>/did.jsonl.
  slug text NOT NULL UNIQUE,
  -- Listed DIDs have public salts; unlisted ones are seen by the public as commitments only.
  listed boolean NOT NULL,
  -- json and not jsonb: a document may hold any JSON string, and jsonb does not take U+0000.
  state json NOT NULL,
  log_characters integer NOT NULL,
  created_at timestamptz NOT NULL
);

CREATE TABLE registry.did_entries (
  did text NOT NULL REFERENCES registry.dids,
  version_number integer NOT NULL CHECK (version_number > 0),
  version_id text NOT NULL,
  -- The line of did.jsonl, as it is served.
  line text NOT NULL,
  -- Null once erased: then nobody can link the leaf to the entry any more.
  salt bytea CHECK (length(salt) = 16),
  commitment bytea NOT NULL UNIQUE CHECK (length(commitment) = 32),
  accepted_at timestamptz NOT NULL,
  PRIMARY KEY (did, version_number)
);

-- The log: dense from 0, only ever appended to, by whoever holds the sequencing lock.
CREATE TABLE registry.leaves (
  index bigint PRIMARY KEY CHECK (index >= 0),
  commitment bytea NOT NULL UNIQUE CHECK (length(commitment) = 32),
  sequenced_at timestamptz NOT NULL
);

-- One row a tile, in its widest form; a narrower form is a beginning of it.
CREATE TABLE registry.tiles (
  level integer NOT NULL CHECK (level BETWEEN 0 AND 63),
  index bigint NOT NULL CHECK (index >= 0),
  hashes bytea NOT NULL CHECK (length(hashes) % 32 = 0 AND length(hashes) BETWEEN 32 AND 8192),
  PRIMARY KEY (level, index)
);

CREATE TABLE registry.checkpoints (
  size bigint PRIMARY KEY CHECK (size >= 0),
  root bytea NOT NULL CHECK (length(root) = 32),
  note text NOT NULL,
  signed_at timestamptz NOT NULL
);

CREATE TABLE registry.anchors (
  chain_id bigint NOT NULL,
  contract text NOT NULL,
  transaction text NOT NULL,
  block_number bigint NOT NULL,
  size bigint NOT NULL REFERENCES registry.checkpoints,
  root bytea NOT NULL CHECK (length(root) = 32),
  anchored_at timestamptz NOT NULL,
  -- Set when the ledger does not hold it any more (a development chain that came back empty, another contract).
  lost_at timestamptz,
  PRIMARY KEY (chain_id, contract, transaction)
);
CREATE UNIQUE INDEX anchors_size ON registry.anchors (size) WHERE lost_at IS NULL;

-- The log only grows: no leaf or checkpoint is ever changed or removed, whatever a program tries.
CREATE FUNCTION registry.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the log is append-only';
END $$;
CREATE TRIGGER leaves_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON registry.leaves
  FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_change();
CREATE TRIGGER checkpoints_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON registry.checkpoints
  FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_change();

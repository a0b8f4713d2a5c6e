-- The number of the newest entry (compared by whoever appends the next), and of the newest that everybody may see: entries
-- that witnesses have to approve first are accepted, but not published.
ALTER TABLE registry.dids ADD COLUMN version_number integer;
ALTER TABLE registry.dids ADD COLUMN published_version integer;
UPDATE registry.dids AS did SET version_number = entry.newest, published_version = entry.published
  FROM (
    SELECT did, max(version_number) AS newest,
      -- No witness proof was taken so far, so a DID that named witnesses anywhere is not published until they approve.
      CASE WHEN bool_or(line LIKE '%"witness":{"%') THEN 0 ELSE max(version_number) END AS published
    FROM registry.did_entries GROUP BY did
  ) AS entry
  WHERE entry.did = did.did;
ALTER TABLE registry.dids
  ALTER COLUMN version_number SET NOT NULL,
  ALTER COLUMN published_version SET NOT NULL,
  ADD CHECK (version_number > 0 AND published_version BETWEEN 0 AND version_number);

-- Listed and published, in the order of their DIDs: for GET /dids, and for watchers, who ask by SCID (did:webvh:<scid>:…).
CREATE INDEX dids_listed ON registry.dids (did COLLATE "C") WHERE listed AND published_version > 0;

-- Approvals of entries by the witnesses that the DID names, each once: the Data Integrity proofs of did-witness.json.
CREATE TABLE registry.did_witness_proofs (
  did text NOT NULL REFERENCES registry.dids ON DELETE CASCADE,
  version_number integer NOT NULL CHECK (version_number > 0),
  version_id text NOT NULL,
  -- did:key of the witness.
  witness text NOT NULL,
  proof text NOT NULL,
  accepted_at timestamptz NOT NULL,
  PRIMARY KEY (did, version_number, witness)
);

-- Entries that name the registry itself as a witness: it signs them once a published checkpoint covers their leaf.
CREATE TABLE registry.did_witness_duties (
  did text NOT NULL REFERENCES registry.dids ON DELETE CASCADE,
  version_number integer NOT NULL,
  version_id text NOT NULL,
  commitment bytea NOT NULL UNIQUE CHECK (length(commitment) = 32),
  PRIMARY KEY (did, version_number)
);

-- What is left of an erased DID: enough to say that it is gone and to keep its place empty, not which it was.
CREATE TABLE registry.erased_dids (
  did_hash bytea PRIMARY KEY CHECK (length(did_hash) = 32),
  slug_hash bytea NOT NULL UNIQUE CHECK (length(slug_hash) = 32),
  erased_at timestamptz NOT NULL
);

-- Foreign DIDs that are watched here: the longest history seen of each, kept when its host shows another or none.
CREATE TABLE registry.watched_dids (
  scid text PRIMARY KEY,
  did text NOT NULL,
  version_id text NOT NULL,
  log text NOT NULL,
  -- did-witness.json, or null where the DID has no witnesses.
  witness_file text,
  checked_at timestamptz NOT NULL,
  -- What its host showed last instead of the history that is kept; null when it agrees.
  fault text
);

-- The salt of a listed entry is public: it follows its commitment into the log's entry bundles.
ALTER TABLE registry.outbox ADD COLUMN public_salt bytea CHECK (length(public_salt) = 16);
ALTER TABLE registry.leaves ADD COLUMN public_salt bytea CHECK (length(public_salt) = 16);

-- Leaves whose entry anyone may open. Those that are older than public salts hold the commitment alone, and stay as they are.
ALTER TABLE registry.leaves ADD COLUMN listed boolean NOT NULL DEFAULT false;
ALTER TABLE registry.leaves DISABLE TRIGGER leaves_append_only;
UPDATE registry.leaves AS leaf SET listed = true
  FROM registry.did_entries AS entry JOIN registry.dids AS did USING (did)
  WHERE entry.commitment = leaf.commitment AND did.listed;
ALTER TABLE registry.leaves ENABLE TRIGGER leaves_append_only;
ALTER TABLE registry.leaves ADD CHECK (listed OR public_salt IS NULL);
CREATE INDEX leaves_listed ON registry.leaves (index) WHERE listed;

-- registry.checkpoints holds what was signed; only what also met the witness policy is published, and only that is anchored.
CREATE TABLE registry.published_checkpoints (
  size bigint PRIMARY KEY REFERENCES registry.checkpoints,
  -- The signed note with its cosignatures.
  note text NOT NULL,
  published_at timestamptz NOT NULL
);
INSERT INTO registry.published_checkpoints (size, note, published_at)
  SELECT size, note, signed_at FROM registry.checkpoints;
CREATE TRIGGER published_checkpoints_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON registry.published_checkpoints
  FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_change();
ALTER TABLE registry.anchors DROP CONSTRAINT anchors_size_fkey;
ALTER TABLE registry.anchors ADD FOREIGN KEY (size) REFERENCES registry.published_checkpoints;

-- What each witness of the policy did last. Not evidence, that is in the notes: it saves a round trip and tells operators.
CREATE TABLE registry.witnesses (
  name text PRIMARY KEY,
  cosigned_size bigint NOT NULL CHECK (cosigned_size >= 0),
  cosigned_at timestamptz,
  -- Why it did not cosign when it was asked last; null when it did.
  fault text
);

-- What the anchor cost, where the ledger said so.
ALTER TABLE registry.anchors ADD COLUMN gas_used bigint CHECK (gas_used >= 0);
ALTER TABLE registry.anchors ADD COLUMN fee_wei numeric CHECK (fee_wei >= 0);

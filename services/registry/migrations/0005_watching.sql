-- When the host of a watched DID is asked again: at the DID's own time to live, within bounds.
ALTER TABLE registry.watched_dids ADD COLUMN check_at timestamptz;
UPDATE registry.watched_dids SET check_at = checked_at;
ALTER TABLE registry.watched_dids ALTER COLUMN check_at SET NOT NULL;
CREATE INDEX watched_dids_due ON registry.watched_dids (check_at);

-- The verified history that a host showed instead of the one that is kept: its controller signed both. The first one stays.
ALTER TABLE registry.watched_dids ADD COLUMN other_log text;

-- Multikeys of the newest version that names any: who may ask that the copy be deleted.
ALTER TABLE registry.watched_dids ADD COLUMN update_keys text[] NOT NULL DEFAULT '{}';

-- Resources of watched DIDs, as their hosts gave them when their controllers asked for it.
CREATE TABLE registry.watched_resources (
  scid text NOT NULL REFERENCES registry.watched_dids ON DELETE CASCADE,
  path text NOT NULL CHECK (length(path) BETWEEN 1 AND 256),
  media_type text NOT NULL,
  content bytea NOT NULL,
  fetched_at timestamptz NOT NULL,
  PRIMARY KEY (scid, path)
);

-- Sessions of the portal's backend, and sign-ins under way. The id is the SHA-256 of the cookie's value; everything else is
-- sealed under a key that comes from the cookie's value alone, so whoever reads this table can open nothing.
CREATE TABLE portal.sessions (
  id bytea PRIMARY KEY CHECK (length(id) = 32),
  sealed bytea NOT NULL CHECK (length(sealed) BETWEEN 29 AND 65536),
  created_at timestamptz NOT NULL,
  used_at timestamptz NOT NULL CHECK (used_at >= created_at),
  expires_at timestamptz NOT NULL CHECK (expires_at > created_at)
);
CREATE INDEX sessions_expires_at ON portal.sessions (expires_at);

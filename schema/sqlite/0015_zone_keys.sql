-- Signed zones and their keys. Times are in seconds since 1970 UTC. secret is a private key (PKCS #8 in Base64), encrypted as
-- in sealed_passwords where passwords are.
CREATE TABLE IF NOT EXISTS zone_signing (
  domain_id INTEGER NOT NULL,
  nsec3     INTEGER NOT NULL DEFAULT 0,
  withdrawn INTEGER NOT NULL DEFAULT 0,
  renewed   INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (domain_id),
  CONSTRAINT zone_signing_domain FOREIGN KEY (domain_id) REFERENCES domains (id) ON DELETE CASCADE
);

CREATE TABLE IF NOT EXISTS zone_keys (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  domain_id  INTEGER NOT NULL,
  ksk        INTEGER NOT NULL,
  public_key TEXT NOT NULL CHECK (length(public_key) <= 100),
  secret     TEXT NOT NULL CHECK (length(secret) <= 1024),
  publish_at INTEGER NOT NULL,
  active_at  INTEGER NOT NULL,
  retire_at  INTEGER NULL,
  remove_at  INTEGER NULL,
  CONSTRAINT zone_keys_domain FOREIGN KEY (domain_id) REFERENCES domains (id) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS zone_keys_domain_idx ON zone_keys (domain_id);

-- Secrets that the nodes of one platform share. Whoever needs one first makes it; nobody changes it.
CREATE TABLE IF NOT EXISTS secrets (
  name       TEXT NOT NULL PRIMARY KEY CHECK (length(name) <= 64),
  value      BLOB NOT NULL CHECK (length(value) = 32),
  created_at INTEGER NOT NULL
);

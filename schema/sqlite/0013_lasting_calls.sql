-- Calls that count towards somebody's limit while they last, so that they do after a restart, and for other nodes.
CREATE TABLE IF NOT EXISTS lasting_calls (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  node       TEXT NOT NULL CHECK (length(node) <= 50),
  session_id TEXT NOT NULL CHECK (length(session_id) <= 255),
  from_tag   TEXT NOT NULL CHECK (length(from_tag) <= 128),
  to_tag     TEXT NOT NULL CHECK (length(to_tag) <= 128),
  payer      TEXT NOT NULL CHECK (length(payer) <= 320),
  started_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS lasting_calls_session_idx ON lasting_calls (session_id);
CREATE INDEX IF NOT EXISTS lasting_calls_node_idx ON lasting_calls (node);

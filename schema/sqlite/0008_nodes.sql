-- The daemons of the platform: each notes every few seconds that it is alive, and what it counts.
CREATE TABLE IF NOT EXISTS nodes (
  daemon     TEXT NOT NULL CHECK (length(daemon) <= 32),
  node       TEXT NOT NULL CHECK (length(node) <= 128),
  ip         TEXT NOT NULL CHECK (length(ip) <= 64),
  version    TEXT NOT NULL CHECK (length(version) <= 32),
  started_at INTEGER NOT NULL,
  alive_at   INTEGER NOT NULL,
  counters   TEXT NOT NULL,
  PRIMARY KEY (daemon, node)
);

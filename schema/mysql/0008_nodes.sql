-- The daemons of the platform: each notes every few seconds that it is alive, and what it counts.
CREATE TABLE IF NOT EXISTS nodes (
  daemon     VARCHAR(32) NOT NULL,
  node       VARCHAR(128) NOT NULL,
  ip         VARCHAR(64) NOT NULL,
  version    VARCHAR(32) NOT NULL,
  started_at BIGINT NOT NULL,
  alive_at   BIGINT NOT NULL,
  counters   TEXT NOT NULL,
  PRIMARY KEY (daemon, node)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

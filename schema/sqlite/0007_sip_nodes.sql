-- When each sipd node was last alive: until then the calls that it did not see the end of lasted for sure.
CREATE TABLE IF NOT EXISTS sip_nodes (
  node     TEXT NOT NULL PRIMARY KEY CHECK (length(node) <= 50),
  alive_at INTEGER NOT NULL
);

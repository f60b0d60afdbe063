-- Whose registered contacts changed, so that each sipd node follows those that others accepted. Rows are kept for minutes.
CREATE TABLE IF NOT EXISTS location_changes (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  at        INTEGER NOT NULL,
  node      TEXT NOT NULL CHECK (length(node) <= 128),
  addresses TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS location_changes_at_idx ON location_changes (at);

-- Where the sipd nodes reach each other.
CREATE TABLE IF NOT EXISTS sip_node_addresses (
  node TEXT NOT NULL CHECK (length(node) <= 50),
  uri  TEXT NOT NULL CHECK (length(uri) <= 255),
  PRIMARY KEY (node)
);

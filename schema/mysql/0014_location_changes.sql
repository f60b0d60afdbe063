-- Whose registered contacts changed, so that each sipd node follows those that others accepted. Rows are kept for minutes.
CREATE TABLE IF NOT EXISTS location_changes (
  id        BIGINT NOT NULL AUTO_INCREMENT,
  at        BIGINT NOT NULL,
  node      VARCHAR(128) NOT NULL,
  addresses TEXT NOT NULL,
  PRIMARY KEY (id),
  KEY location_changes_at_idx (at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Where the sipd nodes reach each other.
CREATE TABLE IF NOT EXISTS sip_node_addresses (
  node VARCHAR(50) NOT NULL,
  uri  VARCHAR(255) NOT NULL,
  PRIMARY KEY (node)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

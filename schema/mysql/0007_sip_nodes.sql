-- When each sipd node was last alive: until then the calls that it did not see the end of lasted for sure.
CREATE TABLE IF NOT EXISTS sip_nodes (
  node     VARCHAR(50) NOT NULL,
  alive_at BIGINT NOT NULL,
  PRIMARY KEY (node)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

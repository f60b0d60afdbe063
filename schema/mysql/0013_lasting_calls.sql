-- Calls that count towards somebody's limit while they last, so that they do after a restart, and for other nodes.
CREATE TABLE IF NOT EXISTS lasting_calls (
  id         BIGINT NOT NULL AUTO_INCREMENT,
  node       VARCHAR(50) NOT NULL,
  session_id VARCHAR(255) NOT NULL,
  from_tag   VARCHAR(128) NOT NULL,
  to_tag     VARCHAR(128) NOT NULL,
  payer      VARCHAR(320) NOT NULL,
  started_at BIGINT NOT NULL,
  PRIMARY KEY (id),
  KEY lasting_calls_session_idx (session_id),
  KEY lasting_calls_node_idx (node)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

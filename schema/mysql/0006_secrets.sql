-- Secrets that the nodes of one platform share. Whoever needs one first makes it; nobody changes it.
CREATE TABLE IF NOT EXISTS secrets (
  name       VARCHAR(64) NOT NULL,
  value      BINARY(32) NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Signed zones and their keys. Times are in seconds since 1970 UTC. secret is a private key (PKCS #8 in Base64), encrypted as
-- in sealed_passwords where passwords are.
CREATE TABLE IF NOT EXISTS zone_signing (
  domain_id INT NOT NULL,
  nsec3     INT NOT NULL DEFAULT 0,
  withdrawn INT NOT NULL DEFAULT 0,
  renewed   BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (domain_id),
  CONSTRAINT zone_signing_domain FOREIGN KEY (domain_id) REFERENCES domains (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS zone_keys (
  id         BIGINT NOT NULL AUTO_INCREMENT,
  domain_id  INT NOT NULL,
  ksk        INT NOT NULL,
  public_key VARCHAR(100) NOT NULL,
  secret     VARCHAR(1024) NOT NULL,
  publish_at BIGINT NOT NULL,
  active_at  BIGINT NOT NULL,
  retire_at  BIGINT NULL,
  remove_at  BIGINT NULL,
  PRIMARY KEY (id),
  KEY zone_keys_domain_idx (domain_id),
  CONSTRAINT zone_keys_domain FOREIGN KEY (domain_id) REFERENCES domains (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

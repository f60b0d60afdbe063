-- DNS as PowerDNS 4.7 lays it out, the attributes of zones made by the Dns port, and ENUM.
-- Rows of `records` with disabled = 1 are not DNS data: fancy records (URL, MBOXFW) are kept so, hence one sequence of ids.

CREATE TABLE IF NOT EXISTS domains (
  id              INT NOT NULL AUTO_INCREMENT,
  name            VARCHAR(255) NOT NULL,
  master          VARCHAR(128) NULL DEFAULT NULL,
  last_check      INT NULL DEFAULT NULL,
  type            VARCHAR(8) NOT NULL,
  notified_serial INT UNSIGNED NULL DEFAULT NULL,
  account         VARCHAR(40) NULL DEFAULT NULL,
  options         TEXT NULL,
  catalog         VARCHAR(255) NULL DEFAULT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY name_index (name),
  KEY catalog_idx (catalog)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- origin: 0 Dns port, 1 SOA and NS made from a zone's attributes, 2 ENUM mapping, 3 fancy record.
-- value: as the API shows it (content is PowerDNS's form). record_key: digest of what makes a record a duplicate (B119).
CREATE TABLE IF NOT EXISTS records (
  id          BIGINT NOT NULL AUTO_INCREMENT,
  domain_id   INT NULL DEFAULT NULL,
  name        VARCHAR(255) NULL DEFAULT NULL,
  type        VARCHAR(10) NULL DEFAULT NULL,
  content     TEXT NULL,
  ttl         INT NULL DEFAULT NULL,
  prio        INT NULL DEFAULT NULL,
  disabled    BOOLEAN NOT NULL DEFAULT 0,
  ordername   VARCHAR(255) NULL DEFAULT NULL,
  auth        BOOLEAN NOT NULL DEFAULT 1,
  origin      INT NOT NULL DEFAULT 0,
  value       TEXT NULL,
  owner       BIGINT NOT NULL DEFAULT 0,
  record_key  VARCHAR(64) NULL DEFAULT NULL,
  change_date BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (id),
  UNIQUE KEY records_key_idx (record_key),
  KEY nametype_index (name, type),
  KEY domain_id (domain_id, name),
  KEY ordername (ordername),
  KEY records_change_idx (change_date),
  CONSTRAINT records_domain FOREIGN KEY (domain_id) REFERENCES domains (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS supermasters (
  ip         VARCHAR(64) NOT NULL,
  nameserver VARCHAR(255) NOT NULL,
  account    VARCHAR(40) NOT NULL,
  PRIMARY KEY (ip, nameserver)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS comments (
  id          INT NOT NULL AUTO_INCREMENT,
  domain_id   INT NOT NULL,
  name        VARCHAR(255) NOT NULL,
  type        VARCHAR(10) NOT NULL,
  modified_at INT NOT NULL,
  account     VARCHAR(40) NULL DEFAULT NULL,
  comment     TEXT NOT NULL,
  PRIMARY KEY (id),
  KEY comments_name_type_idx (name, type),
  KEY comments_order_idx (domain_id, modified_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS domainmetadata (
  id        INT NOT NULL AUTO_INCREMENT,
  domain_id INT NOT NULL,
  kind      VARCHAR(32) NULL,
  content   TEXT NULL,
  PRIMARY KEY (id),
  KEY domainmetadata_idx (domain_id, kind)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS cryptokeys (
  id        INT NOT NULL AUTO_INCREMENT,
  domain_id INT NOT NULL,
  flags     INT NOT NULL,
  active    BOOLEAN NULL,
  published BOOLEAN NULL DEFAULT 1,
  content   TEXT NULL,
  PRIMARY KEY (id),
  KEY domainidindex (domain_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS tsigkeys (
  id        INT NOT NULL AUTO_INCREMENT,
  name      VARCHAR(255) NULL,
  algorithm VARCHAR(50) NULL,
  secret    VARCHAR(255) NULL,
  PRIMARY KEY (id),
  UNIQUE KEY namealgoindex (name, algorithm)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Attributes of a zone made by the Dns port; nameservers is a JSON list.
CREATE TABLE IF NOT EXISTS dns_zones (
  domain_id   INT NOT NULL,
  customer    BIGINT NOT NULL DEFAULT 0,
  reseller    BIGINT NOT NULL DEFAULT 0,
  ttl         INT NOT NULL DEFAULT 3600,
  email       VARCHAR(255) NOT NULL DEFAULT '',
  nameservers TEXT NOT NULL,
  refresh     INT NOT NULL DEFAULT 14400,
  retry       INT NOT NULL DEFAULT 3600,
  expire      INT NOT NULL DEFAULT 604800,
  minimum     INT NOT NULL DEFAULT 300,
  info        TEXT NULL,
  create_date BIGINT NOT NULL DEFAULT 0,
  change_date BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (domain_id),
  KEY dns_zones_customer_idx (customer),
  KEY dns_zones_reseller_idx (reseller),
  KEY dns_zones_change_idx (change_date),
  CONSTRAINT dns_zones_domain FOREIGN KEY (domain_id) REFERENCES domains (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- An ENUM range is a zone; domain_id names it.
CREATE TABLE IF NOT EXISTS enum_ranges (
  id          BIGINT NOT NULL AUTO_INCREMENT,
  prefix      VARCHAR(15) NOT NULL,
  tld         VARCHAR(255) NOT NULL,
  domain_id   INT NOT NULL,
  ttl         INT NOT NULL DEFAULT 3600,
  min_digits  INT NOT NULL DEFAULT 0,
  max_digits  INT NOT NULL DEFAULT 0,
  size        INT NOT NULL DEFAULT 0,
  nameservers TEXT NOT NULL,
  info        TEXT NULL,
  customer    BIGINT NOT NULL DEFAULT 0,
  reseller    BIGINT NOT NULL DEFAULT 0,
  create_date BIGINT NOT NULL DEFAULT 0,
  change_date BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (id),
  UNIQUE KEY enum_ranges_idx (prefix, tld),
  UNIQUE KEY enum_ranges_domain_idx (domain_id),
  KEY enum_ranges_customer_idx (customer),
  KEY enum_ranges_reseller_idx (reseller),
  CONSTRAINT enum_ranges_domain FOREIGN KEY (domain_id) REFERENCES domains (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS enum_numbers (
  id          BIGINT NOT NULL AUTO_INCREMENT,
  range_id    BIGINT NOT NULL,
  number      VARCHAR(15) NOT NULL,
  tld         VARCHAR(255) NOT NULL,
  info        TEXT NULL,
  owner       BIGINT NOT NULL DEFAULT 0,
  create_date BIGINT NOT NULL DEFAULT 0,
  change_date BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (id),
  UNIQUE KEY enum_numbers_idx (number, tld),
  KEY enum_numbers_range_idx (range_id),
  KEY enum_numbers_owner_idx (owner),
  KEY enum_numbers_change_idx (change_date),
  CONSTRAINT enum_numbers_range FOREIGN KEY (range_id) REFERENCES enum_ranges (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- mapto_bare: mapto in lower case without its URI scheme, for exact look-ups (B47).
CREATE TABLE IF NOT EXISTS enum_mappings (
  id         BIGINT NOT NULL AUTO_INCREMENT,
  number_id  BIGINT NOT NULL,
  type       VARCHAR(32) NOT NULL,
  mapto      VARCHAR(512) NOT NULL,
  mapto_bare VARCHAR(512) NOT NULL,
  priority   INT NOT NULL DEFAULT 5,
  ttl        INT NOT NULL DEFAULT 3600,
  PRIMARY KEY (id),
  KEY enum_mappings_number_idx (number_id),
  KEY enum_mappings_mapto_idx (mapto_bare),
  CONSTRAINT enum_mappings_number FOREIGN KEY (number_id) REFERENCES enum_numbers (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- DNS as PowerDNS 4.7 lays it out, the attributes of zones made by the Dns port, and ENUM.
-- Rows of `records` with disabled = 1 are not DNS data: fancy records (URL, MBOXFW) are kept so, hence one sequence of ids.

CREATE TABLE IF NOT EXISTS domains (
  id              INTEGER PRIMARY KEY AUTOINCREMENT,
  name            TEXT NOT NULL CHECK (length(name) <= 255),
  master          TEXT NULL DEFAULT NULL CHECK (length(master) <= 128),
  last_check      INTEGER NULL DEFAULT NULL,
  type            TEXT NOT NULL CHECK (length(type) <= 8),
  notified_serial INTEGER NULL DEFAULT NULL,
  account         TEXT NULL DEFAULT NULL CHECK (length(account) <= 40),
  options         TEXT NULL,
  catalog         TEXT NULL DEFAULT NULL CHECK (length(catalog) <= 255)
);
CREATE UNIQUE INDEX IF NOT EXISTS name_index ON domains (name);
CREATE INDEX IF NOT EXISTS catalog_idx ON domains (catalog);

-- origin: 0 Dns port, 1 SOA and NS made from a zone's attributes, 2 ENUM mapping, 3 fancy record.
-- value: as the API shows it (content is PowerDNS's form). record_key: digest of what makes a record a duplicate (B119).
CREATE TABLE IF NOT EXISTS records (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  domain_id   INTEGER NULL DEFAULT NULL,
  name        TEXT NULL DEFAULT NULL CHECK (length(name) <= 255),
  type        TEXT NULL DEFAULT NULL CHECK (length(type) <= 10),
  content     TEXT NULL,
  ttl         INTEGER NULL DEFAULT NULL,
  prio        INTEGER NULL DEFAULT NULL,
  disabled    BOOLEAN NOT NULL DEFAULT 0,
  ordername   TEXT NULL DEFAULT NULL CHECK (length(ordername) <= 255),
  auth        BOOLEAN NOT NULL DEFAULT 1,
  origin      INTEGER NOT NULL DEFAULT 0,
  value       TEXT NULL,
  owner       INTEGER NOT NULL DEFAULT 0,
  record_key  TEXT NULL DEFAULT NULL CHECK (length(record_key) <= 64),
  change_date INTEGER NOT NULL DEFAULT 0,
  CONSTRAINT records_domain FOREIGN KEY (domain_id) REFERENCES domains (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX IF NOT EXISTS records_key_idx ON records (record_key);
CREATE INDEX IF NOT EXISTS nametype_index ON records (name, type);
CREATE INDEX IF NOT EXISTS records_domain_idx ON records (domain_id, name);
CREATE INDEX IF NOT EXISTS ordername ON records (ordername);
CREATE INDEX IF NOT EXISTS records_change_idx ON records (change_date);

CREATE TABLE IF NOT EXISTS supermasters (
  ip         TEXT NOT NULL CHECK (length(ip) <= 64),
  nameserver TEXT NOT NULL CHECK (length(nameserver) <= 255),
  account    TEXT NOT NULL CHECK (length(account) <= 40),
  PRIMARY KEY (ip, nameserver)
);

CREATE TABLE IF NOT EXISTS comments (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  domain_id   INTEGER NOT NULL,
  name        TEXT NOT NULL CHECK (length(name) <= 255),
  type        TEXT NOT NULL CHECK (length(type) <= 10),
  modified_at INTEGER NOT NULL,
  account     TEXT NULL DEFAULT NULL CHECK (length(account) <= 40),
  comment     TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS comments_name_type_idx ON comments (name, type);
CREATE INDEX IF NOT EXISTS comments_order_idx ON comments (domain_id, modified_at);

CREATE TABLE IF NOT EXISTS domainmetadata (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  domain_id INTEGER NOT NULL,
  kind      TEXT NULL CHECK (length(kind) <= 32),
  content   TEXT NULL
);
CREATE INDEX IF NOT EXISTS domainmetadata_idx ON domainmetadata (domain_id, kind);

CREATE TABLE IF NOT EXISTS cryptokeys (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  domain_id INTEGER NOT NULL,
  flags     INTEGER NOT NULL,
  active    BOOLEAN NULL,
  published BOOLEAN NULL DEFAULT 1,
  content   TEXT NULL
);
CREATE INDEX IF NOT EXISTS domainidindex ON cryptokeys (domain_id);

CREATE TABLE IF NOT EXISTS tsigkeys (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  name      TEXT NULL CHECK (length(name) <= 255),
  algorithm TEXT NULL CHECK (length(algorithm) <= 50),
  secret    TEXT NULL CHECK (length(secret) <= 255)
);
CREATE UNIQUE INDEX IF NOT EXISTS namealgoindex ON tsigkeys (name, algorithm);

-- Attributes of a zone made by the Dns port; nameservers is a JSON list.
CREATE TABLE IF NOT EXISTS dns_zones (
  domain_id   INTEGER NOT NULL,
  customer    INTEGER NOT NULL DEFAULT 0,
  reseller    INTEGER NOT NULL DEFAULT 0,
  ttl         INTEGER NOT NULL DEFAULT 3600,
  email       TEXT NOT NULL DEFAULT '' CHECK (length(email) <= 255),
  nameservers TEXT NOT NULL,
  refresh     INTEGER NOT NULL DEFAULT 14400,
  retry       INTEGER NOT NULL DEFAULT 3600,
  expire      INTEGER NOT NULL DEFAULT 604800,
  minimum     INTEGER NOT NULL DEFAULT 300,
  info        TEXT NULL,
  create_date INTEGER NOT NULL DEFAULT 0,
  change_date INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (domain_id),
  CONSTRAINT dns_zones_domain FOREIGN KEY (domain_id) REFERENCES domains (id) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS dns_zones_customer_idx ON dns_zones (customer);
CREATE INDEX IF NOT EXISTS dns_zones_reseller_idx ON dns_zones (reseller);
CREATE INDEX IF NOT EXISTS dns_zones_change_idx ON dns_zones (change_date);

-- An ENUM range is a zone; domain_id names it.
CREATE TABLE IF NOT EXISTS enum_ranges (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  prefix      TEXT NOT NULL CHECK (length(prefix) <= 15),
  tld         TEXT NOT NULL CHECK (length(tld) <= 255),
  domain_id   INTEGER NOT NULL,
  ttl         INTEGER NOT NULL DEFAULT 3600,
  min_digits  INTEGER NOT NULL DEFAULT 0,
  max_digits  INTEGER NOT NULL DEFAULT 0,
  size        INTEGER NOT NULL DEFAULT 0,
  nameservers TEXT NOT NULL,
  info        TEXT NULL,
  customer    INTEGER NOT NULL DEFAULT 0,
  reseller    INTEGER NOT NULL DEFAULT 0,
  create_date INTEGER NOT NULL DEFAULT 0,
  change_date INTEGER NOT NULL DEFAULT 0,
  CONSTRAINT enum_ranges_domain FOREIGN KEY (domain_id) REFERENCES domains (id)
);
CREATE UNIQUE INDEX IF NOT EXISTS enum_ranges_idx ON enum_ranges (prefix, tld);
CREATE UNIQUE INDEX IF NOT EXISTS enum_ranges_domain_idx ON enum_ranges (domain_id);
CREATE INDEX IF NOT EXISTS enum_ranges_customer_idx ON enum_ranges (customer);
CREATE INDEX IF NOT EXISTS enum_ranges_reseller_idx ON enum_ranges (reseller);

CREATE TABLE IF NOT EXISTS enum_numbers (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  range_id    INTEGER NOT NULL,
  number      TEXT NOT NULL CHECK (length(number) <= 15),
  tld         TEXT NOT NULL CHECK (length(tld) <= 255),
  info        TEXT NULL,
  owner       INTEGER NOT NULL DEFAULT 0,
  create_date INTEGER NOT NULL DEFAULT 0,
  change_date INTEGER NOT NULL DEFAULT 0,
  CONSTRAINT enum_numbers_range FOREIGN KEY (range_id) REFERENCES enum_ranges (id)
);
CREATE UNIQUE INDEX IF NOT EXISTS enum_numbers_idx ON enum_numbers (number, tld);
CREATE INDEX IF NOT EXISTS enum_numbers_range_idx ON enum_numbers (range_id);
CREATE INDEX IF NOT EXISTS enum_numbers_owner_idx ON enum_numbers (owner);
CREATE INDEX IF NOT EXISTS enum_numbers_change_idx ON enum_numbers (change_date);

-- mapto_bare: mapto in lower case without its URI scheme, for exact look-ups (B47).
CREATE TABLE IF NOT EXISTS enum_mappings (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  number_id  INTEGER NOT NULL,
  type       TEXT NOT NULL CHECK (length(type) <= 32),
  mapto      TEXT NOT NULL CHECK (length(mapto) <= 512),
  mapto_bare TEXT NOT NULL CHECK (length(mapto_bare) <= 512),
  priority   INTEGER NOT NULL DEFAULT 5,
  ttl        INTEGER NOT NULL DEFAULT 3600,
  CONSTRAINT enum_mappings_number FOREIGN KEY (number_id) REFERENCES enum_numbers (id) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS enum_mappings_number_idx ON enum_mappings (number_id);
CREATE INDEX IF NOT EXISTS enum_mappings_mapto_idx ON enum_mappings (mapto_bare);

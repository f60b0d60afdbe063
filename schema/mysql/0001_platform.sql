-- The platform's own ground: journal, zone serials, repeated requests, customers.
-- Times named `at`, `*_at` and `change_date`/`create_date` are milliseconds since 1970 UTC; money is in millionths.

CREATE TABLE IF NOT EXISTS version (
  id            INT NOT NULL AUTO_INCREMENT,
  table_name    VARCHAR(32) NOT NULL,
  table_version INT NOT NULL DEFAULT 0,
  PRIMARY KEY (id),
  UNIQUE KEY table_name_idx (table_name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

INSERT IGNORE INTO version (table_name, table_version) VALUES ('version', 1);

CREATE TABLE IF NOT EXISTS journal (
  id           BIGINT NOT NULL AUTO_INCREMENT,
  at           BIGINT NOT NULL,
  login        VARCHAR(255) NOT NULL,
  impersonated BIGINT NULL,
  source       VARCHAR(128) NOT NULL,
  operation    VARCHAR(64) NOT NULL,
  entity       VARCHAR(32) NOT NULL,
  entity_key   VARCHAR(700) NOT NULL,
  zone         VARCHAR(255) NULL,
  `before`     MEDIUMTEXT NULL,
  `after`      MEDIUMTEXT NULL,
  PRIMARY KEY (id),
  KEY journal_zone_idx (zone, id),
  KEY journal_entity_idx (entity, entity_key)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Serial of a zone = base + counted + number of its journal rows after counted_to. A row stays when the zone goes.
CREATE TABLE IF NOT EXISTS zone_serials (
  zone       VARCHAR(255) NOT NULL,
  base       BIGINT NOT NULL,
  counted    BIGINT NOT NULL DEFAULT 0,
  counted_to BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (zone)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Replies to requests that carried an idempotency key, so that a repeated request is answered and not done again.
CREATE TABLE IF NOT EXISTS idempotency (
  login           VARCHAR(255) NOT NULL,
  request_key     VARCHAR(255) NOT NULL,
  request_digest  VARCHAR(64) NOT NULL,
  created_at      BIGINT NOT NULL,
  status          INT NULL,
  response        MEDIUMTEXT NULL,
  journal_id      BIGINT NULL,
  PRIMARY KEY (login, request_key),
  KEY idempotency_created_idx (created_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS customers (
  id              BIGINT NOT NULL AUTO_INCREMENT,
  reseller        BIGINT NOT NULL DEFAULT 0,
  impersonate     BIGINT NULL,
  username        VARCHAR(255) NOT NULL,
  username_lower  VARCHAR(255) NOT NULL,
  password        VARCHAR(512) NULL,
  first_name      VARCHAR(255) NULL,
  last_name       VARCHAR(255) NULL,
  organization    VARCHAR(255) NULL,
  vat_number      VARCHAR(255) NULL,
  email           VARCHAR(255) NULL,
  web             VARCHAR(255) NULL,
  tel             VARCHAR(255) NULL,
  fax             VARCHAR(255) NULL,
  mobile          VARCHAR(255) NULL,
  sip             VARCHAR(255) NULL,
  `enum`          VARCHAR(255) NULL,
  address         TEXT NULL,
  postcode        VARCHAR(64) NULL,
  city            VARCHAR(255) NULL,
  state           VARCHAR(255) NULL,
  country         VARCHAR(64) NULL,
  timezone        VARCHAR(64) NULL,
  language        VARCHAR(64) NULL,
  bank_account    VARCHAR(255) NULL,
  billing_address TEXT NULL,
  billing_email   VARCHAR(255) NULL,
  balance         BIGINT NOT NULL DEFAULT 0,
  credit          BIGINT NOT NULL DEFAULT 0,
  company_code    VARCHAR(255) NULL,
  reseller_active BOOLEAN NOT NULL DEFAULT 0,
  create_date     BIGINT NOT NULL DEFAULT 0,
  change_date     BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (id),
  UNIQUE KEY customers_username_idx (username_lower),
  KEY customers_reseller_idx (reseller),
  KEY customers_change_idx (change_date)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS customer_properties (
  customer   BIGINT NOT NULL,
  name       VARCHAR(128) NOT NULL,
  value      TEXT NULL,
  category   VARCHAR(64) NULL,
  permission VARCHAR(64) NULL,
  PRIMARY KEY (customer, name),
  CONSTRAINT customer_properties_customer FOREIGN KEY (customer) REFERENCES customers (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Requests served per interval, as CDRTool's statistics page reads them (B188).
CREATE TABLE IF NOT EXISTS ngnpro_logs (
  id         BIGINT NOT NULL AUTO_INCREMENT,
  date       DATETIME NOT NULL,
  total      BIGINT NOT NULL DEFAULT 0,
  total_time DOUBLE NOT NULL DEFAULT 0,
  PRIMARY KEY (id),
  KEY ngnpro_logs_date_idx (date)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ngnpro_logs_summary (
  id         BIGINT NOT NULL AUTO_INCREMENT,
  date       DATETIME NOT NULL,
  total      BIGINT NOT NULL DEFAULT 0,
  total_time DOUBLE NOT NULL DEFAULT 0,
  PRIMARY KEY (id),
  KEY ngnpro_logs_summary_date_idx (date)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ngnpro_logs_functions (
  id         BIGINT NOT NULL AUTO_INCREMENT,
  date       DATETIME NOT NULL,
  `function` VARCHAR(128) NOT NULL,
  ip         VARCHAR(64) NOT NULL,
  total      BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (id),
  UNIQUE KEY ngnpro_logs_functions_idx (date, `function`, ip)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ngnpro_logs_functions_history (
  id         BIGINT NOT NULL AUTO_INCREMENT,
  date       DATETIME NOT NULL,
  `function` VARCHAR(128) NOT NULL,
  ip         VARCHAR(64) NOT NULL,
  total      BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (id),
  UNIQUE KEY ngnpro_logs_functions_history_idx (date, `function`, ip)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

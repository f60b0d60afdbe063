-- The platform's own ground: journal, zone serials, repeated requests, customers.
-- Times named `at`, `*_at` and `change_date`/`create_date` are milliseconds since 1970 UTC; money is in millionths.

CREATE TABLE IF NOT EXISTS version (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  table_name    TEXT NOT NULL CHECK (length(table_name) <= 32),
  table_version INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX IF NOT EXISTS table_name_idx ON version (table_name);

INSERT OR IGNORE INTO version (table_name, table_version) VALUES ('version', 1);

CREATE TABLE IF NOT EXISTS journal (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  at           INTEGER NOT NULL,
  login        TEXT NOT NULL CHECK (length(login) <= 255),
  impersonated INTEGER NULL,
  source       TEXT NOT NULL CHECK (length(source) <= 128),
  operation    TEXT NOT NULL CHECK (length(operation) <= 64),
  entity       TEXT NOT NULL CHECK (length(entity) <= 32),
  entity_key   TEXT NOT NULL CHECK (length(entity_key) <= 700),
  zone         TEXT NULL CHECK (length(zone) <= 255),
  `before`     TEXT NULL,
  `after`      TEXT NULL
);
CREATE INDEX IF NOT EXISTS journal_zone_idx ON journal (zone, id);
CREATE INDEX IF NOT EXISTS journal_entity_idx ON journal (entity, entity_key);

-- Serial of a zone = base + counted + number of its journal rows after counted_to. A row stays when the zone goes.
CREATE TABLE IF NOT EXISTS zone_serials (
  zone       TEXT NOT NULL CHECK (length(zone) <= 255),
  base       INTEGER NOT NULL,
  counted    INTEGER NOT NULL DEFAULT 0,
  counted_to INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (zone)
);

-- Replies to requests that carried an idempotency key, so that a repeated request is answered and not done again.
CREATE TABLE IF NOT EXISTS idempotency (
  login          TEXT NOT NULL CHECK (length(login) <= 255),
  request_key    TEXT NOT NULL CHECK (length(request_key) <= 255),
  request_digest TEXT NOT NULL CHECK (length(request_digest) <= 64),
  created_at     INTEGER NOT NULL,
  status         INTEGER NULL,
  response       TEXT NULL,
  journal_id     INTEGER NULL,
  PRIMARY KEY (login, request_key)
);
CREATE INDEX IF NOT EXISTS idempotency_created_idx ON idempotency (created_at);

CREATE TABLE IF NOT EXISTS customers (
  id              INTEGER PRIMARY KEY AUTOINCREMENT,
  reseller        INTEGER NOT NULL DEFAULT 0,
  impersonate     INTEGER NULL,
  username        TEXT NOT NULL CHECK (length(username) <= 255),
  username_lower  TEXT NOT NULL CHECK (length(username_lower) <= 255),
  password        TEXT NULL CHECK (length(password) <= 512),
  first_name      TEXT NULL CHECK (length(first_name) <= 255),
  last_name       TEXT NULL CHECK (length(last_name) <= 255),
  organization    TEXT NULL CHECK (length(organization) <= 255),
  vat_number      TEXT NULL CHECK (length(vat_number) <= 255),
  email           TEXT NULL CHECK (length(email) <= 255),
  web             TEXT NULL CHECK (length(web) <= 255),
  tel             TEXT NULL CHECK (length(tel) <= 255),
  fax             TEXT NULL CHECK (length(fax) <= 255),
  mobile          TEXT NULL CHECK (length(mobile) <= 255),
  sip             TEXT NULL CHECK (length(sip) <= 255),
  `enum`          TEXT NULL CHECK (length(`enum`) <= 255),
  address         TEXT NULL,
  postcode        TEXT NULL CHECK (length(postcode) <= 64),
  city            TEXT NULL CHECK (length(city) <= 255),
  state           TEXT NULL CHECK (length(state) <= 255),
  country         TEXT NULL CHECK (length(country) <= 64),
  timezone        TEXT NULL CHECK (length(timezone) <= 64),
  language        TEXT NULL CHECK (length(language) <= 64),
  bank_account    TEXT NULL CHECK (length(bank_account) <= 255),
  billing_address TEXT NULL,
  billing_email   TEXT NULL CHECK (length(billing_email) <= 255),
  balance         INTEGER NOT NULL DEFAULT 0,
  credit          INTEGER NOT NULL DEFAULT 0,
  company_code    TEXT NULL CHECK (length(company_code) <= 255),
  reseller_active BOOLEAN NOT NULL DEFAULT 0,
  create_date     INTEGER NOT NULL DEFAULT 0,
  change_date     INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX IF NOT EXISTS customers_username_idx ON customers (username_lower);
CREATE INDEX IF NOT EXISTS customers_reseller_idx ON customers (reseller);
CREATE INDEX IF NOT EXISTS customers_change_idx ON customers (change_date);

CREATE TABLE IF NOT EXISTS customer_properties (
  customer   INTEGER NOT NULL,
  name       TEXT NOT NULL CHECK (length(name) <= 128),
  value      TEXT NULL,
  category   TEXT NULL CHECK (length(category) <= 64),
  permission TEXT NULL CHECK (length(permission) <= 64),
  PRIMARY KEY (customer, name),
  CONSTRAINT customer_properties_customer FOREIGN KEY (customer) REFERENCES customers (id) ON DELETE CASCADE
);

-- Requests served per interval, as CDRTool's statistics page reads them (B188).
CREATE TABLE IF NOT EXISTS ngnpro_logs (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  date       TEXT NOT NULL,
  total      INTEGER NOT NULL DEFAULT 0,
  total_time REAL NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS ngnpro_logs_date_idx ON ngnpro_logs (date);

CREATE TABLE IF NOT EXISTS ngnpro_logs_summary (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  date       TEXT NOT NULL,
  total      INTEGER NOT NULL DEFAULT 0,
  total_time REAL NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS ngnpro_logs_summary_date_idx ON ngnpro_logs_summary (date);

CREATE TABLE IF NOT EXISTS ngnpro_logs_functions (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  date       TEXT NOT NULL,
  `function` TEXT NOT NULL CHECK (length(`function`) <= 128),
  ip         TEXT NOT NULL CHECK (length(ip) <= 64),
  total      INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX IF NOT EXISTS ngnpro_logs_functions_idx ON ngnpro_logs_functions (date, `function`, ip);

CREATE TABLE IF NOT EXISTS ngnpro_logs_functions_history (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  date       TEXT NOT NULL,
  `function` TEXT NOT NULL CHECK (length(`function`) <= 128),
  ip         TEXT NOT NULL CHECK (length(ip) <= 64),
  total      INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX IF NOT EXISTS ngnpro_logs_functions_history_idx ON ngnpro_logs_functions_history (date, `function`, ip);

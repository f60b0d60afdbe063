-- SIP domains, accounts, aliases and registrations in the layout of OpenSIPS and Kamailio, with columns of ours behind
-- theirs; what hangs on an account; trusted peers; emergency numbers; traces.

CREATE TABLE IF NOT EXISTS domain (
  id               INTEGER PRIMARY KEY AUTOINCREMENT,
  domain           TEXT NOT NULL CHECK (length(domain) <= 255),
  did              TEXT NULL CHECK (length(did) <= 64),
  attrs            TEXT NULL CHECK (length(attrs) <= 255),
  accept_subdomain INTEGER NOT NULL DEFAULT 0,
  last_modified    TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
  customer         INTEGER NOT NULL DEFAULT 0,
  reseller_id      INTEGER NOT NULL DEFAULT 0,
  certificate      TEXT NULL,
  private_key      TEXT NULL,
  match_ip_address TEXT NULL CHECK (length(match_ip_address) <= 255),
  match_sip_domain TEXT NULL CHECK (length(match_sip_domain) <= 255),
  verify_cert      BOOLEAN NOT NULL DEFAULT 0,
  require_cert     BOOLEAN NOT NULL DEFAULT 0,
  change_date      INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX IF NOT EXISTS domain_idx ON domain (domain);
CREATE INDEX IF NOT EXISTS domain_customer_idx ON domain (customer);
CREATE INDEX IF NOT EXISTS domain_reseller_idx ON domain (reseller_id);

CREATE TABLE IF NOT EXISTS domain_attrs (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  did           TEXT NOT NULL CHECK (length(did) <= 64),
  name          TEXT NOT NULL CHECK (length(name) <= 32),
  type          INTEGER NOT NULL,
  value         TEXT NOT NULL CHECK (length(value) <= 255),
  last_modified TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX IF NOT EXISTS domain_attrs_idx ON domain_attrs (did, name);

-- Every address of record, account or alias, so that the two kinds cannot take the same one (B53).
CREATE TABLE IF NOT EXISTS addresses (
  username TEXT NOT NULL CHECK (length(username) <= 64),
  domain   TEXT NOT NULL CHECK (length(domain) <= 255),
  kind     TEXT NOT NULL CHECK (length(kind) <= 8),
  PRIMARY KEY (username, domain)
);

CREATE TABLE IF NOT EXISTS subscriber (
  id               INTEGER PRIMARY KEY AUTOINCREMENT,
  username         TEXT NOT NULL DEFAULT '' CHECK (length(username) <= 64),
  domain           TEXT NOT NULL DEFAULT '' CHECK (length(domain) <= 255),
  password         TEXT NOT NULL DEFAULT '' CHECK (length(password) <= 255),
  ha1              TEXT NOT NULL DEFAULT '' CHECK (length(ha1) <= 128),
  ha1b             TEXT NOT NULL DEFAULT '' CHECK (length(ha1b) <= 128),
  ha1_sha256       TEXT NOT NULL DEFAULT '' CHECK (length(ha1_sha256) <= 128),
  email_address    TEXT NOT NULL DEFAULT '' CHECK (length(email_address) <= 255),
  rpid             TEXT NULL CHECK (length(rpid) <= 128),
  first_name       TEXT NOT NULL DEFAULT '' CHECK (length(first_name) <= 255),
  last_name        TEXT NOT NULL DEFAULT '' CHECK (length(last_name) <= 255),
  timezone         TEXT NOT NULL DEFAULT '' CHECK (length(timezone) <= 64),
  quota            INTEGER NOT NULL DEFAULT 0,
  profile          TEXT NULL,
  prepaid          BOOLEAN NOT NULL DEFAULT 0,
  quickdial_prefix TEXT NULL CHECK (length(quickdial_prefix) <= 64),
  region           TEXT NULL CHECK (length(region) <= 64),
  timeout          INTEGER NULL,
  call_limit       INTEGER NULL,
  acl              TEXT NULL,
  properties       TEXT NULL,
  owner            INTEGER NOT NULL DEFAULT 0,
  create_date      INTEGER NOT NULL DEFAULT 0,
  change_date      INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX IF NOT EXISTS account_idx ON subscriber (username, domain);
CREATE INDEX IF NOT EXISTS subscriber_domain_idx ON subscriber (domain, username);
CREATE INDEX IF NOT EXISTS subscriber_email_idx ON subscriber (email_address);
CREATE INDEX IF NOT EXISTS subscriber_owner_idx ON subscriber (owner);
CREATE INDEX IF NOT EXISTS subscriber_change_idx ON subscriber (change_date);

CREATE TABLE IF NOT EXISTS grp (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  username      TEXT NOT NULL DEFAULT '' CHECK (length(username) <= 64),
  domain        TEXT NOT NULL DEFAULT '' CHECK (length(domain) <= 255),
  grp           TEXT NOT NULL DEFAULT '' CHECK (length(grp) <= 64),
  last_modified TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
  subscriber_id INTEGER NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS account_group_idx ON grp (username, domain, grp);
CREATE INDEX IF NOT EXISTS grp_subscriber_idx ON grp (subscriber_id);
CREATE INDEX IF NOT EXISTS grp_grp_idx ON grp (grp);

CREATE TABLE IF NOT EXISTS dbaliases (
  id             INTEGER PRIMARY KEY AUTOINCREMENT,
  alias_username TEXT NOT NULL DEFAULT '' CHECK (length(alias_username) <= 64),
  alias_domain   TEXT NOT NULL DEFAULT '' CHECK (length(alias_domain) <= 255),
  username       TEXT NOT NULL DEFAULT '' CHECK (length(username) <= 64),
  domain         TEXT NOT NULL DEFAULT '' CHECK (length(domain) <= 255),
  owner          INTEGER NOT NULL DEFAULT 0,
  create_date    INTEGER NOT NULL DEFAULT 0,
  change_date    INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX IF NOT EXISTS alias_idx ON dbaliases (alias_username, alias_domain);
CREATE INDEX IF NOT EXISTS alias_domain_idx ON dbaliases (alias_domain);
CREATE INDEX IF NOT EXISTS target_idx ON dbaliases (username, domain);
CREATE INDEX IF NOT EXISTS dbaliases_owner_idx ON dbaliases (owner);
CREATE INDEX IF NOT EXISTS dbaliases_change_idx ON dbaliases (change_date);

-- OpenSIPS 3.x usrloc (expires in seconds since 1970); ruid, expires_at, q_milli, reg_id, node and changed_at are ours.
CREATE TABLE IF NOT EXISTS location (
  contact_id    INTEGER PRIMARY KEY AUTOINCREMENT,
  username      TEXT NOT NULL DEFAULT '' CHECK (length(username) <= 64),
  domain        TEXT NOT NULL DEFAULT '' CHECK (length(domain) <= 255),
  contact       TEXT NOT NULL,
  received      TEXT NULL CHECK (length(received) <= 255),
  path          TEXT NULL,
  expires       INTEGER NOT NULL,
  q             REAL NOT NULL DEFAULT 1.0,
  callid        TEXT NOT NULL DEFAULT 'Default-Call-ID' CHECK (length(callid) <= 255),
  cseq          INTEGER NOT NULL DEFAULT 13,
  last_modified TEXT NOT NULL DEFAULT '1900-01-01 00:00:01',
  flags         INTEGER NOT NULL DEFAULT 0,
  cflags        TEXT NULL CHECK (length(cflags) <= 255),
  user_agent    TEXT NOT NULL DEFAULT '' CHECK (length(user_agent) <= 255),
  socket        TEXT NULL CHECK (length(socket) <= 128),
  methods       INTEGER NULL,
  sip_instance  TEXT NULL CHECK (length(sip_instance) <= 255),
  kv_store      TEXT NULL,
  attr          TEXT NULL CHECK (length(attr) <= 255),
  ruid          TEXT NOT NULL CHECK (length(ruid) <= 64),
  expires_at    INTEGER NOT NULL,
  q_milli       INTEGER NOT NULL DEFAULT 1000,
  reg_id        INTEGER NOT NULL DEFAULT 0,
  node          TEXT NOT NULL DEFAULT '' CHECK (length(node) <= 128),
  changed_at    INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX IF NOT EXISTS ruid_idx ON location (ruid);
CREATE INDEX IF NOT EXISTS location_account_idx ON location (username, domain);
CREATE INDEX IF NOT EXISTS location_domain_idx ON location (domain);
CREATE INDEX IF NOT EXISTS location_expires_idx ON location (expires_at);

INSERT OR IGNORE INTO version (table_name, table_version) VALUES
  ('subscriber', 7), ('domain', 2), ('domain_attrs', 1), ('grp', 2), ('dbaliases', 1), ('location', 1013);

CREATE TABLE IF NOT EXISTS call_diversions (
  username    TEXT NOT NULL CHECK (length(username) <= 64),
  domain      TEXT NOT NULL CHECK (length(domain) <= 255),
  cond        TEXT NOT NULL CHECK (length(cond) <= 4),
  uri         TEXT NOT NULL CHECK (length(uri) <= 1024),
  change_date INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (username, domain, cond)
);

CREATE TABLE IF NOT EXISTS accept_rules_persistent (
  username    TEXT NOT NULL CHECK (length(username) <= 64),
  domain      TEXT NOT NULL CHECK (length(domain) <= 255),
  position    INTEGER NOT NULL,
  days        INTEGER NOT NULL,
  start       TEXT NOT NULL CHECK (length(start) <= 8),
  stop        TEXT NOT NULL CHECK (length(stop) <= 8),
  group_names TEXT NOT NULL,
  PRIMARY KEY (username, domain, position)
);

CREATE TABLE IF NOT EXISTS accept_rules_temporary (
  username    TEXT NOT NULL CHECK (length(username) <= 64),
  domain      TEXT NOT NULL CHECK (length(domain) <= 255),
  group_names TEXT NOT NULL,
  duration    INTEGER NOT NULL DEFAULT 0,
  expires_at  INTEGER NULL,
  PRIMARY KEY (username, domain)
);
CREATE INDEX IF NOT EXISTS accept_rules_temporary_expires_idx ON accept_rules_temporary (expires_at);

CREATE TABLE IF NOT EXISTS reject_members (
  username TEXT NOT NULL CHECK (length(username) <= 64),
  domain   TEXT NOT NULL CHECK (length(domain) <= 255),
  position INTEGER NOT NULL,
  uri      TEXT NOT NULL CHECK (length(uri) <= 255),
  PRIMARY KEY (username, domain, position)
);

CREATE TABLE IF NOT EXISTS barring_prefixes (
  username TEXT NOT NULL CHECK (length(username) <= 64),
  domain   TEXT NOT NULL CHECK (length(domain) <= 255),
  position INTEGER NOT NULL,
  prefix   TEXT NOT NULL CHECK (length(prefix) <= 64),
  PRIMARY KEY (username, domain, position)
);

CREATE TABLE IF NOT EXISTS phonebook (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  username    TEXT NOT NULL CHECK (length(username) <= 64),
  domain      TEXT NOT NULL CHECK (length(domain) <= 255),
  uri         TEXT NOT NULL CHECK (length(uri) <= 255),
  name        TEXT NULL CHECK (length(name) <= 255),
  grp         TEXT NOT NULL DEFAULT '' CHECK (length(grp) <= 64),
  first_name  TEXT NULL CHECK (length(first_name) <= 255),
  last_name   TEXT NULL CHECK (length(last_name) <= 255),
  change_date INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX IF NOT EXISTS phonebook_entry_idx ON phonebook (username, domain, uri);

CREATE TABLE IF NOT EXISTS trusted_peers (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  ip           TEXT NOT NULL CHECK (length(ip) <= 255),
  protocol     TEXT NOT NULL DEFAULT 'any' CHECK (length(protocol) <= 8),
  tag          TEXT NULL CHECK (length(tag) <= 64),
  description  TEXT NOT NULL DEFAULT '' CHECK (length(description) <= 255),
  call_limit   INTEGER NOT NULL DEFAULT 0,
  msteams      BOOLEAN NOT NULL DEFAULT 0,
  tenant       TEXT NULL CHECK (length(tenant) <= 255),
  auth_token   TEXT NULL,
  prepaid      BOOLEAN NOT NULL DEFAULT 0,
  blocked      INTEGER NOT NULL DEFAULT 0,
  enum_lookup  BOOLEAN NOT NULL DEFAULT 1,
  transit      BOOLEAN NOT NULL DEFAULT 0,
  carrier_name TEXT NULL CHECK (length(carrier_name) <= 255),
  originator   TEXT NULL CHECK (length(originator) <= 255),
  billing_id   TEXT NULL CHECK (length(billing_id) <= 255),
  tags         TEXT NULL CHECK (length(tags) <= 255),
  strip        INTEGER NOT NULL DEFAULT 0,
  prefix       TEXT NULL CHECK (length(prefix) <= 64),
  owner        INTEGER NOT NULL DEFAULT 0,
  customer     INTEGER NOT NULL DEFAULT 0,
  reseller_id  INTEGER NOT NULL DEFAULT 0,
  change_date  INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX IF NOT EXISTS trusted_peers_ip_idx ON trusted_peers (ip);
CREATE INDEX IF NOT EXISTS trusted_peers_customer_idx ON trusted_peers (customer);
CREATE INDEX IF NOT EXISTS trusted_peers_reseller_idx ON trusted_peers (reseller_id);

-- Maintained outside the API (B165); the guide's layout, unchanged.
CREATE TABLE IF NOT EXISTS emergency_mapping (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  username    TEXT NOT NULL DEFAULT '' CHECK (length(username) <= 64),
  domain      TEXT NOT NULL DEFAULT '' CHECK (length(domain) <= 64),
  region      TEXT NOT NULL DEFAULT '' CHECK (length(region) <= 32),
  target      TEXT NOT NULL DEFAULT '' CHECK (length(target) <= 128),
  change_date TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX IF NOT EXISTS emergency_mapping_idx ON emergency_mapping (username, domain, region);

CREATE TABLE IF NOT EXISTS sip_trace (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  time_stamp  TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
  callid      TEXT NOT NULL DEFAULT '' CHECK (length(callid) <= 255),
  trace_attrs TEXT NULL CHECK (length(trace_attrs) <= 255),
  msg         TEXT NOT NULL,
  method      TEXT NOT NULL DEFAULT '' CHECK (length(method) <= 32),
  status      TEXT NULL CHECK (length(status) <= 128),
  from_proto  TEXT NOT NULL DEFAULT '' CHECK (length(from_proto) <= 5),
  from_ip     TEXT NOT NULL DEFAULT '' CHECK (length(from_ip) <= 64),
  from_port   INTEGER NOT NULL DEFAULT 0,
  to_proto    TEXT NOT NULL DEFAULT '' CHECK (length(to_proto) <= 5),
  to_ip       TEXT NOT NULL DEFAULT '' CHECK (length(to_ip) <= 64),
  to_port     INTEGER NOT NULL DEFAULT 0,
  fromtag     TEXT NOT NULL DEFAULT '' CHECK (length(fromtag) <= 128),
  totag       TEXT NOT NULL DEFAULT '' CHECK (length(totag) <= 128),
  direction   TEXT NOT NULL DEFAULT '' CHECK (length(direction) <= 4),
  time_us     INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS sip_trace_callid_idx ON sip_trace (callid);
CREATE INDEX IF NOT EXISTS sip_trace_time_idx ON sip_trace (time_us);

CREATE TABLE IF NOT EXISTS media_sessions (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  call_id    TEXT NOT NULL CHECK (length(call_id) <= 255),
  from_tag   TEXT NOT NULL DEFAULT '' CHECK (length(from_tag) <= 128),
  to_tag     TEXT NOT NULL DEFAULT '' CHECK (length(to_tag) <= 128),
  info       TEXT NULL,
  start_time TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX IF NOT EXISTS media_sessions_call_idx ON media_sessions (call_id, from_tag, to_tag);

-- SIP domains, accounts, aliases and registrations in the layout of OpenSIPS and Kamailio, with columns of ours behind
-- theirs; what hangs on an account; trusted peers; emergency numbers; traces.

CREATE TABLE IF NOT EXISTS domain (
  id               INT NOT NULL AUTO_INCREMENT,
  domain           VARCHAR(255) NOT NULL,
  did              VARCHAR(64) NULL,
  attrs            VARCHAR(255) NULL,
  accept_subdomain INT NOT NULL DEFAULT 0,
  last_modified    DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  customer         BIGINT NOT NULL DEFAULT 0,
  reseller_id      BIGINT NOT NULL DEFAULT 0,
  certificate      TEXT NULL,
  private_key      TEXT NULL,
  match_ip_address VARCHAR(255) NULL,
  match_sip_domain VARCHAR(255) NULL,
  verify_cert      BOOLEAN NOT NULL DEFAULT 0,
  require_cert     BOOLEAN NOT NULL DEFAULT 0,
  change_date      BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (id),
  UNIQUE KEY domain_idx (domain),
  KEY domain_customer_idx (customer),
  KEY domain_reseller_idx (reseller_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS domain_attrs (
  id            INT NOT NULL AUTO_INCREMENT,
  did           VARCHAR(64) NOT NULL,
  name          VARCHAR(32) NOT NULL,
  type          INT NOT NULL,
  value         VARCHAR(255) NOT NULL,
  last_modified DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (id),
  KEY domain_attrs_idx (did, name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Every address of record, account or alias, so that the two kinds cannot take the same one (B53).
CREATE TABLE IF NOT EXISTS addresses (
  username VARCHAR(64) NOT NULL,
  domain   VARCHAR(255) NOT NULL,
  kind     VARCHAR(8) NOT NULL,
  PRIMARY KEY (username, domain)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS subscriber (
  id               INT NOT NULL AUTO_INCREMENT,
  username         VARCHAR(64) NOT NULL DEFAULT '',
  domain           VARCHAR(255) NOT NULL DEFAULT '',
  password         VARCHAR(255) NOT NULL DEFAULT '',
  ha1              VARCHAR(128) NOT NULL DEFAULT '',
  ha1b             VARCHAR(128) NOT NULL DEFAULT '',
  ha1_sha256       VARCHAR(128) NOT NULL DEFAULT '',
  email_address    VARCHAR(255) NOT NULL DEFAULT '',
  rpid             VARCHAR(128) NULL,
  first_name       VARCHAR(255) NOT NULL DEFAULT '',
  last_name        VARCHAR(255) NOT NULL DEFAULT '',
  timezone         VARCHAR(64) NOT NULL DEFAULT '',
  quota            INT NOT NULL DEFAULT 0,
  profile          TEXT NULL,
  prepaid          BOOLEAN NOT NULL DEFAULT 0,
  quickdial_prefix VARCHAR(64) NULL,
  region           VARCHAR(64) NULL,
  timeout          INT NULL,
  call_limit       INT NULL,
  acl              TEXT NULL,
  properties       MEDIUMTEXT NULL,
  owner            BIGINT NOT NULL DEFAULT 0,
  create_date      BIGINT NOT NULL DEFAULT 0,
  change_date      BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (id),
  UNIQUE KEY account_idx (username, domain),
  KEY subscriber_domain_idx (domain, username),
  KEY subscriber_email_idx (email_address),
  KEY subscriber_owner_idx (owner),
  KEY subscriber_change_idx (change_date)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS grp (
  id            INT NOT NULL AUTO_INCREMENT,
  username      VARCHAR(64) NOT NULL DEFAULT '',
  domain        VARCHAR(255) NOT NULL DEFAULT '',
  grp           VARCHAR(64) NOT NULL DEFAULT '',
  last_modified DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  subscriber_id INT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY account_group_idx (username, domain, grp),
  KEY grp_subscriber_idx (subscriber_id),
  KEY grp_grp_idx (grp)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS dbaliases (
  id             INT NOT NULL AUTO_INCREMENT,
  alias_username VARCHAR(64) NOT NULL DEFAULT '',
  alias_domain   VARCHAR(255) NOT NULL DEFAULT '',
  username       VARCHAR(64) NOT NULL DEFAULT '',
  domain         VARCHAR(255) NOT NULL DEFAULT '',
  owner          BIGINT NOT NULL DEFAULT 0,
  create_date    BIGINT NOT NULL DEFAULT 0,
  change_date    BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (id),
  UNIQUE KEY alias_idx (alias_username, alias_domain),
  KEY alias_domain_idx (alias_domain),
  KEY target_idx (username, domain),
  KEY dbaliases_owner_idx (owner),
  KEY dbaliases_change_idx (change_date)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- OpenSIPS 3.x usrloc (expires in seconds since 1970); ruid, expires_at, q_milli, reg_id, node and changed_at are ours.
CREATE TABLE IF NOT EXISTS location (
  contact_id    BIGINT NOT NULL AUTO_INCREMENT,
  username      VARCHAR(64) NOT NULL DEFAULT '',
  domain        VARCHAR(255) NOT NULL DEFAULT '',
  contact       TEXT NOT NULL,
  received      VARCHAR(255) NULL,
  path          TEXT NULL,
  expires       BIGINT NOT NULL,
  q             DOUBLE NOT NULL DEFAULT 1.0,
  callid        VARCHAR(255) NOT NULL DEFAULT 'Default-Call-ID',
  cseq          BIGINT NOT NULL DEFAULT 13,
  last_modified DATETIME NOT NULL DEFAULT '1900-01-01 00:00:01',
  flags         INT NOT NULL DEFAULT 0,
  cflags        VARCHAR(255) NULL,
  user_agent    VARCHAR(255) NOT NULL DEFAULT '',
  socket        VARCHAR(128) NULL,
  methods       INT NULL,
  sip_instance  VARCHAR(255) NULL,
  kv_store      TEXT NULL,
  attr          VARCHAR(255) NULL,
  ruid          VARCHAR(64) NOT NULL,
  expires_at    BIGINT NOT NULL,
  q_milli       INT NOT NULL DEFAULT 1000,
  reg_id        BIGINT NOT NULL DEFAULT 0,
  node          VARCHAR(128) NOT NULL DEFAULT '',
  changed_at    BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (contact_id),
  UNIQUE KEY ruid_idx (ruid),
  KEY location_account_idx (username, domain),
  KEY location_domain_idx (domain),
  KEY location_expires_idx (expires_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

INSERT IGNORE INTO version (table_name, table_version) VALUES
  ('subscriber', 7), ('domain', 2), ('domain_attrs', 1), ('grp', 2), ('dbaliases', 1), ('location', 1013);

CREATE TABLE IF NOT EXISTS call_diversions (
  username    VARCHAR(64) NOT NULL,
  domain      VARCHAR(255) NOT NULL,
  cond        VARCHAR(4) NOT NULL,
  uri         VARCHAR(1024) NOT NULL,
  change_date BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (username, domain, cond)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS accept_rules_persistent (
  username    VARCHAR(64) NOT NULL,
  domain      VARCHAR(255) NOT NULL,
  position    INT NOT NULL,
  days        INT NOT NULL,
  start       VARCHAR(8) NOT NULL,
  stop        VARCHAR(8) NOT NULL,
  group_names TEXT NOT NULL,
  PRIMARY KEY (username, domain, position)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS accept_rules_temporary (
  username    VARCHAR(64) NOT NULL,
  domain      VARCHAR(255) NOT NULL,
  group_names TEXT NOT NULL,
  duration    INT NOT NULL DEFAULT 0,
  expires_at  BIGINT NULL,
  PRIMARY KEY (username, domain),
  KEY accept_rules_temporary_expires_idx (expires_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS reject_members (
  username VARCHAR(64) NOT NULL,
  domain   VARCHAR(255) NOT NULL,
  position INT NOT NULL,
  uri      VARCHAR(255) NOT NULL,
  PRIMARY KEY (username, domain, position)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS barring_prefixes (
  username VARCHAR(64) NOT NULL,
  domain   VARCHAR(255) NOT NULL,
  position INT NOT NULL,
  prefix   VARCHAR(64) NOT NULL,
  PRIMARY KEY (username, domain, position)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS phonebook (
  id          BIGINT NOT NULL AUTO_INCREMENT,
  username    VARCHAR(64) NOT NULL,
  domain      VARCHAR(255) NOT NULL,
  uri         VARCHAR(255) NOT NULL,
  name        VARCHAR(255) NULL,
  grp         VARCHAR(64) NOT NULL DEFAULT '',
  first_name  VARCHAR(255) NULL,
  last_name   VARCHAR(255) NULL,
  change_date BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (id),
  UNIQUE KEY phonebook_entry_idx (username, domain, uri)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS trusted_peers (
  id           INT NOT NULL AUTO_INCREMENT,
  ip           VARCHAR(255) NOT NULL,
  protocol     VARCHAR(8) NOT NULL DEFAULT 'any',
  tag          VARCHAR(64) NULL,
  description  VARCHAR(255) NOT NULL DEFAULT '',
  call_limit   INT NOT NULL DEFAULT 0,
  msteams      BOOLEAN NOT NULL DEFAULT 0,
  tenant       VARCHAR(255) NULL,
  auth_token   TEXT NULL,
  prepaid      BOOLEAN NOT NULL DEFAULT 0,
  blocked      INT NOT NULL DEFAULT 0,
  enum_lookup  BOOLEAN NOT NULL DEFAULT 1,
  transit      BOOLEAN NOT NULL DEFAULT 0,
  carrier_name VARCHAR(255) NULL,
  originator   VARCHAR(255) NULL,
  billing_id   VARCHAR(255) NULL,
  tags         VARCHAR(255) NULL,
  strip        INT NOT NULL DEFAULT 0,
  prefix       VARCHAR(64) NULL,
  owner        BIGINT NOT NULL DEFAULT 0,
  customer     BIGINT NOT NULL DEFAULT 0,
  reseller_id  BIGINT NOT NULL DEFAULT 0,
  change_date  BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (id),
  UNIQUE KEY trusted_peers_ip_idx (ip),
  KEY trusted_peers_customer_idx (customer),
  KEY trusted_peers_reseller_idx (reseller_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Maintained outside the API (B165); the guide's layout, unchanged.
CREATE TABLE IF NOT EXISTS emergency_mapping (
  id          INT UNSIGNED NOT NULL AUTO_INCREMENT,
  username    VARCHAR(64) NOT NULL DEFAULT '',
  domain      VARCHAR(64) NOT NULL DEFAULT '',
  region      VARCHAR(32) NOT NULL DEFAULT '',
  target      VARCHAR(128) NOT NULL DEFAULT '',
  change_date TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  PRIMARY KEY (id),
  KEY emergency_mapping_idx (username, domain, region)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS sip_trace (
  id          BIGINT NOT NULL AUTO_INCREMENT,
  time_stamp  DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  callid      VARCHAR(255) NOT NULL DEFAULT '',
  trace_attrs VARCHAR(255) NULL,
  msg         MEDIUMTEXT NOT NULL,
  method      VARCHAR(32) NOT NULL DEFAULT '',
  status      VARCHAR(128) NULL,
  from_proto  VARCHAR(5) NOT NULL DEFAULT '',
  from_ip     VARCHAR(64) NOT NULL DEFAULT '',
  from_port   INT NOT NULL DEFAULT 0,
  to_proto    VARCHAR(5) NOT NULL DEFAULT '',
  to_ip       VARCHAR(64) NOT NULL DEFAULT '',
  to_port     INT NOT NULL DEFAULT 0,
  fromtag     VARCHAR(128) NOT NULL DEFAULT '',
  totag       VARCHAR(128) NOT NULL DEFAULT '',
  direction   VARCHAR(4) NOT NULL DEFAULT '',
  time_us     BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (id),
  KEY sip_trace_callid_idx (callid),
  KEY sip_trace_time_idx (time_us)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS media_sessions (
  id         BIGINT NOT NULL AUTO_INCREMENT,
  call_id    VARCHAR(255) NOT NULL,
  from_tag   VARCHAR(128) NOT NULL DEFAULT '',
  to_tag     VARCHAR(128) NOT NULL DEFAULT '',
  info       MEDIUMTEXT NULL,
  start_time DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (id),
  KEY media_sessions_call_idx (call_id, from_tag, to_tag)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Voicemail as Asterisk realtime reads it, CDRTool's prepaid and rating tables, call detail records.

CREATE TABLE IF NOT EXISTS voicemail_users (
  uniqueid       INT NOT NULL AUTO_INCREMENT,
  customer_id    VARCHAR(64) NOT NULL DEFAULT '0',
  context        VARCHAR(50) NOT NULL DEFAULT 'default',
  mailbox        VARCHAR(32) NOT NULL DEFAULT '0',
  password       VARCHAR(32) NOT NULL DEFAULT '',
  fullname       VARCHAR(150) NOT NULL DEFAULT '',
  email          VARCHAR(255) NOT NULL DEFAULT '',
  pager          VARCHAR(255) NOT NULL DEFAULT '',
  tz             VARCHAR(30) NOT NULL DEFAULT 'central',
  attach         VARCHAR(4) NOT NULL DEFAULT 'yes',
  saycid         VARCHAR(4) NOT NULL DEFAULT 'yes',
  dialout        VARCHAR(10) NOT NULL DEFAULT '',
  callback       VARCHAR(10) NOT NULL DEFAULT '',
  review         VARCHAR(4) NOT NULL DEFAULT 'no',
  operator       VARCHAR(4) NOT NULL DEFAULT 'no',
  envelope       VARCHAR(4) NOT NULL DEFAULT 'no',
  sayduration    VARCHAR(4) NOT NULL DEFAULT 'no',
  saydurationm   INT NOT NULL DEFAULT 1,
  sendvoicemail  VARCHAR(4) NOT NULL DEFAULT 'no',
  `delete`       VARCHAR(4) NOT NULL DEFAULT 'no',
  nextaftercmd   VARCHAR(4) NOT NULL DEFAULT 'yes',
  forcename      VARCHAR(4) NOT NULL DEFAULT 'no',
  forcegreetings VARCHAR(4) NOT NULL DEFAULT 'no',
  hidefromdir    VARCHAR(4) NOT NULL DEFAULT 'yes',
  stamp          TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  PRIMARY KEY (uniqueid),
  UNIQUE KEY mailbox_context (mailbox, context)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Which SIP account has which mailbox, and what Asterisk has no column for.
CREATE TABLE IF NOT EXISTS voicemail_accounts (
  username    VARCHAR(64) NOT NULL,
  domain      VARCHAR(255) NOT NULL,
  uniqueid    INT NOT NULL,
  mailbox     VARCHAR(32) NOT NULL,
  info        TEXT NULL,
  owner       BIGINT NOT NULL DEFAULT 0,
  customer    BIGINT NOT NULL DEFAULT 0,
  reseller    BIGINT NOT NULL DEFAULT 0,
  change_date BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (username, domain),
  UNIQUE KEY voicemail_accounts_mailbox_idx (mailbox),
  UNIQUE KEY voicemail_accounts_uniqueid_idx (uniqueid),
  CONSTRAINT voicemail_accounts_user FOREIGN KEY (uniqueid) REFERENCES voicemail_users (uniqueid) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS voicemail_announcements (
  username    VARCHAR(64) NOT NULL,
  domain      VARCHAR(255) NOT NULL,
  message     LONGBLOB NOT NULL,
  change_date BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (username, domain)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS prepaid (
  id              INT NOT NULL AUTO_INCREMENT,
  reseller_id     BIGINT NOT NULL DEFAULT 0,
  account         VARCHAR(320) NOT NULL,
  balance         DECIMAL(10,4) NOT NULL DEFAULT 0,
  change_date     TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  active_sessions TEXT NULL,
  session_counter INT NOT NULL DEFAULT 0,
  max_sessions    INT NOT NULL DEFAULT 1,
  PRIMARY KEY (id),
  UNIQUE KEY prepaid_account_idx (account)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS prepaid_history (
  id          BIGINT NOT NULL AUTO_INCREMENT,
  reseller_id BIGINT NOT NULL DEFAULT 0,
  username    VARCHAR(64) NOT NULL DEFAULT '',
  domain      VARCHAR(255) NOT NULL DEFAULT '',
  action      VARCHAR(255) NOT NULL DEFAULT '',
  duration    INT NOT NULL DEFAULT 0,
  destination VARCHAR(255) NOT NULL DEFAULT '',
  session     VARCHAR(255) NOT NULL DEFAULT '',
  description VARCHAR(255) NOT NULL DEFAULT '',
  value       DECIMAL(10,4) NOT NULL DEFAULT 0,
  balance     DECIMAL(10,4) NOT NULL DEFAULT 0,
  date        DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (id),
  KEY prepaid_history_account_idx (username, domain)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS prepaid_cards (
  id          INT NOT NULL AUTO_INCREMENT,
  reseller_id BIGINT NOT NULL DEFAULT 0,
  batch       VARCHAR(255) NOT NULL DEFAULT '',
  number      VARCHAR(64) NOT NULL,
  value       DECIMAL(10,4) NOT NULL DEFAULT 0,
  blocked     INT NOT NULL DEFAULT 0,
  date_active DATE NULL,
  date_batch  DATE NULL,
  service     VARCHAR(64) NOT NULL DEFAULT 'sip',
  PRIMARY KEY (id),
  UNIQUE KEY prepaid_cards_number_idx (number),
  KEY prepaid_cards_batch_idx (batch)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS quota_usage (
  id          INT NOT NULL AUTO_INCREMENT,
  reseller_id BIGINT NOT NULL DEFAULT 0,
  datasource  VARCHAR(50) NOT NULL DEFAULT '',
  account     VARCHAR(320) NOT NULL DEFAULT '',
  domain      VARCHAR(255) NOT NULL DEFAULT '',
  quota       INT NOT NULL DEFAULT 0,
  blocked     VARCHAR(1) NOT NULL DEFAULT '0',
  notified    DATETIME NULL,
  calls       INT NOT NULL DEFAULT 0,
  duration    BIGINT NOT NULL DEFAULT 0,
  cost        DECIMAL(10,4) NOT NULL DEFAULT 0,
  cost_today  DECIMAL(10,4) NOT NULL DEFAULT 0,
  traffic     BIGINT NOT NULL DEFAULT 0,
  change_date TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  PRIMARY KEY (id),
  UNIQUE KEY quota_usage_account_idx (datasource, account),
  KEY quota_usage_domain_idx (domain)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS billing_customers (
  id                INT NOT NULL AUTO_INCREMENT,
  reseller_id       BIGINT NOT NULL DEFAULT 0,
  gateway           VARCHAR(128) NOT NULL DEFAULT '',
  domain            VARCHAR(255) NOT NULL DEFAULT '',
  subscriber        VARCHAR(320) NOT NULL DEFAULT '',
  profile_name1     VARCHAR(64) NOT NULL DEFAULT '',
  profile_name1_alt VARCHAR(64) NOT NULL DEFAULT '',
  profile_name2     VARCHAR(64) NOT NULL DEFAULT '',
  profile_name2_alt VARCHAR(64) NOT NULL DEFAULT '',
  timezone          VARCHAR(128) NOT NULL DEFAULT '',
  increment         INT NULL,
  min_duration      INT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY billing_customers_idx (gateway, domain, subscriber)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- CDRTool's settings; the rating engine looks for var_name reloadRating here (B178).
CREATE TABLE IF NOT EXISTS settings (
  id              INT NOT NULL AUTO_INCREMENT,
  billing_party   VARCHAR(255) NOT NULL DEFAULT '',
  var_name        VARCHAR(100) NOT NULL DEFAULT '',
  var_description VARCHAR(255) NOT NULL DEFAULT '',
  var_type        VARCHAR(32) NOT NULL DEFAULT '',
  var_value       TEXT NULL,
  var_read_only   VARCHAR(1) NOT NULL DEFAULT '0',
  var_defaults    VARCHAR(255) NOT NULL DEFAULT '',
  var_module      VARCHAR(64) NOT NULL DEFAULT '',
  PRIMARY KEY (id),
  KEY settings_idx (billing_party, var_name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- One table of calls. start_unix and stop_unix follow from AcctStartTime and AcctStopTime, which are UTC.
CREATE TABLE IF NOT EXISTS radacct (
  RadAcctId               BIGINT NOT NULL AUTO_INCREMENT,
  AcctSessionId           VARCHAR(255) NOT NULL DEFAULT '',
  AcctUniqueId            VARCHAR(64) NOT NULL DEFAULT '',
  UserName                VARCHAR(320) NOT NULL DEFAULT '',
  Realm                   VARCHAR(255) NULL DEFAULT '',
  NASIPAddress            VARCHAR(64) NOT NULL DEFAULT '',
  NASPortId               VARCHAR(50) NOT NULL DEFAULT '',
  NASPortType             VARCHAR(255) NOT NULL DEFAULT '',
  AcctStartTime           DATETIME NOT NULL,
  AcctStopTime            DATETIME NULL,
  AcctSessionTime         INT NULL,
  AcctAuthentic           VARCHAR(32) NULL,
  ConnectInfo_start       VARCHAR(64) NULL,
  ConnectInfo_stop        VARCHAR(64) NULL,
  AcctInputOctets         BIGINT NOT NULL DEFAULT 0,
  AcctOutputOctets        BIGINT NOT NULL DEFAULT 0,
  CalledStationId         VARCHAR(320) NOT NULL DEFAULT '',
  CallingStationId        VARCHAR(320) NOT NULL DEFAULT '',
  AcctTerminateCause      VARCHAR(32) NOT NULL DEFAULT '',
  ServiceType             VARCHAR(32) NULL DEFAULT '',
  ENUMtld                 VARCHAR(255) NOT NULL DEFAULT '',
  FramedIPAddress         VARCHAR(64) NOT NULL DEFAULT '',
  Timestamp               BIGINT NOT NULL DEFAULT 0,
  DestinationId           VARCHAR(15) NOT NULL DEFAULT '',
  Rate                    TEXT NULL,
  Price                   DECIMAL(20,4) NULL,
  Normalized              VARCHAR(1) NOT NULL DEFAULT '0',
  BillingId               VARCHAR(255) NULL DEFAULT '',
  BillingPartyId          VARCHAR(320) NOT NULL DEFAULT '',
  MediaInfo               VARCHAR(32) NULL,
  RTPStatistics           TEXT NULL,
  FromHeader              VARCHAR(512) NOT NULL DEFAULT '',
  UserAgent               TEXT NULL,
  Contact                 VARCHAR(512) NOT NULL DEFAULT '',
  DelayTime               INT NOT NULL DEFAULT 0,
  SipMethod               VARCHAR(32) NOT NULL DEFAULT '',
  SipResponseCode         INT NOT NULL DEFAULT 0,
  SipToTag                VARCHAR(128) NOT NULL DEFAULT '',
  SipFromTag              VARCHAR(128) NOT NULL DEFAULT '',
  SipTranslatedRequestURI VARCHAR(512) NOT NULL DEFAULT '',
  SipUserAgents           VARCHAR(512) NOT NULL DEFAULT '',
  SipApplicationType      VARCHAR(255) NOT NULL DEFAULT '',
  SipCodecs               VARCHAR(255) NOT NULL DEFAULT '',
  SipRPID                 VARCHAR(255) NOT NULL DEFAULT '',
  SipRPIDHeader           VARCHAR(255) NOT NULL DEFAULT '',
  SourceIP                VARCHAR(64) NOT NULL DEFAULT '',
  SourcePort              INT NOT NULL DEFAULT 0,
  CanonicalURI            VARCHAR(320) NOT NULL DEFAULT '',
  start_unix              BIGINT GENERATED ALWAYS AS (TIMESTAMPDIFF(SECOND, '1970-01-01 00:00:00', AcctStartTime)) VIRTUAL,
  stop_unix               BIGINT GENERATED ALWAYS AS (TIMESTAMPDIFF(SECOND, '1970-01-01 00:00:00', AcctStopTime)) VIRTUAL,
  PRIMARY KEY (RadAcctId),
  UNIQUE KEY sess_id (AcctSessionId, SipFromTag, SipToTag),
  KEY radacct_user_idx (UserName, AcctStartTime),
  KEY radacct_billing_idx (BillingPartyId, AcctStartTime),
  KEY radacct_canonical_idx (CanonicalURI, AcctStartTime),
  KEY radacct_calling_idx (CallingStationId),
  KEY radacct_start_idx (AcctStartTime),
  KEY radacct_normalized_idx (Normalized)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

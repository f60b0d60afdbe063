-- Voicemail as Asterisk realtime reads it, CDRTool's prepaid and rating tables, call detail records.

CREATE TABLE IF NOT EXISTS voicemail_users (
  uniqueid       INTEGER PRIMARY KEY AUTOINCREMENT,
  customer_id    TEXT NOT NULL DEFAULT '0' CHECK (length(customer_id) <= 64),
  context        TEXT NOT NULL DEFAULT 'default' CHECK (length(context) <= 50),
  mailbox        TEXT NOT NULL DEFAULT '0' CHECK (length(mailbox) <= 32),
  password       TEXT NOT NULL DEFAULT '' CHECK (length(password) <= 32),
  fullname       TEXT NOT NULL DEFAULT '' CHECK (length(fullname) <= 150),
  email          TEXT NOT NULL DEFAULT '' CHECK (length(email) <= 255),
  pager          TEXT NOT NULL DEFAULT '' CHECK (length(pager) <= 255),
  tz             TEXT NOT NULL DEFAULT 'central' CHECK (length(tz) <= 30),
  attach         TEXT NOT NULL DEFAULT 'yes' CHECK (length(attach) <= 4),
  saycid         TEXT NOT NULL DEFAULT 'yes' CHECK (length(saycid) <= 4),
  dialout        TEXT NOT NULL DEFAULT '' CHECK (length(dialout) <= 10),
  callback       TEXT NOT NULL DEFAULT '' CHECK (length(callback) <= 10),
  review         TEXT NOT NULL DEFAULT 'no' CHECK (length(review) <= 4),
  operator       TEXT NOT NULL DEFAULT 'no' CHECK (length(operator) <= 4),
  envelope       TEXT NOT NULL DEFAULT 'no' CHECK (length(envelope) <= 4),
  sayduration    TEXT NOT NULL DEFAULT 'no' CHECK (length(sayduration) <= 4),
  saydurationm   INTEGER NOT NULL DEFAULT 1,
  sendvoicemail  TEXT NOT NULL DEFAULT 'no' CHECK (length(sendvoicemail) <= 4),
  `delete`       TEXT NOT NULL DEFAULT 'no' CHECK (length(`delete`) <= 4),
  nextaftercmd   TEXT NOT NULL DEFAULT 'yes' CHECK (length(nextaftercmd) <= 4),
  forcename      TEXT NOT NULL DEFAULT 'no' CHECK (length(forcename) <= 4),
  forcegreetings TEXT NOT NULL DEFAULT 'no' CHECK (length(forcegreetings) <= 4),
  hidefromdir    TEXT NOT NULL DEFAULT 'yes' CHECK (length(hidefromdir) <= 4),
  stamp          TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX IF NOT EXISTS mailbox_context ON voicemail_users (mailbox, context);

-- Which SIP account has which mailbox, and what Asterisk has no column for.
CREATE TABLE IF NOT EXISTS voicemail_accounts (
  username    TEXT NOT NULL CHECK (length(username) <= 64),
  domain      TEXT NOT NULL CHECK (length(domain) <= 255),
  uniqueid    INTEGER NOT NULL,
  mailbox     TEXT NOT NULL CHECK (length(mailbox) <= 32),
  info        TEXT NULL,
  owner       INTEGER NOT NULL DEFAULT 0,
  customer    INTEGER NOT NULL DEFAULT 0,
  reseller    INTEGER NOT NULL DEFAULT 0,
  change_date INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (username, domain),
  CONSTRAINT voicemail_accounts_user FOREIGN KEY (uniqueid) REFERENCES voicemail_users (uniqueid) ON DELETE CASCADE
);
CREATE UNIQUE INDEX IF NOT EXISTS voicemail_accounts_mailbox_idx ON voicemail_accounts (mailbox);
CREATE UNIQUE INDEX IF NOT EXISTS voicemail_accounts_uniqueid_idx ON voicemail_accounts (uniqueid);

CREATE TABLE IF NOT EXISTS voicemail_announcements (
  username    TEXT NOT NULL CHECK (length(username) <= 64),
  domain      TEXT NOT NULL CHECK (length(domain) <= 255),
  message     BLOB NOT NULL,
  change_date INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (username, domain)
);

CREATE TABLE IF NOT EXISTS prepaid (
  id              INTEGER PRIMARY KEY AUTOINCREMENT,
  reseller_id     INTEGER NOT NULL DEFAULT 0,
  account         TEXT NOT NULL CHECK (length(account) <= 320),
  balance         NUMERIC NOT NULL DEFAULT 0,
  change_date     TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
  active_sessions TEXT NULL,
  session_counter INTEGER NOT NULL DEFAULT 0,
  max_sessions    INTEGER NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX IF NOT EXISTS prepaid_account_idx ON prepaid (account);

CREATE TABLE IF NOT EXISTS prepaid_history (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  reseller_id INTEGER NOT NULL DEFAULT 0,
  username    TEXT NOT NULL DEFAULT '' CHECK (length(username) <= 64),
  domain      TEXT NOT NULL DEFAULT '' CHECK (length(domain) <= 255),
  action      TEXT NOT NULL DEFAULT '' CHECK (length(action) <= 255),
  duration    INTEGER NOT NULL DEFAULT 0,
  destination TEXT NOT NULL DEFAULT '' CHECK (length(destination) <= 255),
  session     TEXT NOT NULL DEFAULT '' CHECK (length(session) <= 255),
  description TEXT NOT NULL DEFAULT '' CHECK (length(description) <= 255),
  value       NUMERIC NOT NULL DEFAULT 0,
  balance     NUMERIC NOT NULL DEFAULT 0,
  date        TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX IF NOT EXISTS prepaid_history_account_idx ON prepaid_history (username, domain);

CREATE TABLE IF NOT EXISTS prepaid_cards (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  reseller_id INTEGER NOT NULL DEFAULT 0,
  batch       TEXT NOT NULL DEFAULT '' CHECK (length(batch) <= 255),
  number      TEXT NOT NULL CHECK (length(number) <= 64),
  value       NUMERIC NOT NULL DEFAULT 0,
  blocked     INTEGER NOT NULL DEFAULT 0,
  date_active TEXT NULL,
  date_batch  TEXT NULL,
  service     TEXT NOT NULL DEFAULT 'sip' CHECK (length(service) <= 64)
);
CREATE UNIQUE INDEX IF NOT EXISTS prepaid_cards_number_idx ON prepaid_cards (number);
CREATE INDEX IF NOT EXISTS prepaid_cards_batch_idx ON prepaid_cards (batch);

CREATE TABLE IF NOT EXISTS quota_usage (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  reseller_id INTEGER NOT NULL DEFAULT 0,
  datasource  TEXT NOT NULL DEFAULT '' CHECK (length(datasource) <= 50),
  account     TEXT NOT NULL DEFAULT '' CHECK (length(account) <= 320),
  domain      TEXT NOT NULL DEFAULT '' CHECK (length(domain) <= 255),
  quota       INTEGER NOT NULL DEFAULT 0,
  blocked     TEXT NOT NULL DEFAULT '0' CHECK (length(blocked) <= 1),
  notified    TEXT NULL,
  calls       INTEGER NOT NULL DEFAULT 0,
  duration    INTEGER NOT NULL DEFAULT 0,
  cost        NUMERIC NOT NULL DEFAULT 0,
  cost_today  NUMERIC NOT NULL DEFAULT 0,
  traffic     INTEGER NOT NULL DEFAULT 0,
  change_date TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX IF NOT EXISTS quota_usage_account_idx ON quota_usage (datasource, account);
CREATE INDEX IF NOT EXISTS quota_usage_domain_idx ON quota_usage (domain);

CREATE TABLE IF NOT EXISTS billing_customers (
  id                INTEGER PRIMARY KEY AUTOINCREMENT,
  reseller_id       INTEGER NOT NULL DEFAULT 0,
  gateway           TEXT NOT NULL DEFAULT '' CHECK (length(gateway) <= 128),
  domain            TEXT NOT NULL DEFAULT '' CHECK (length(domain) <= 255),
  subscriber        TEXT NOT NULL DEFAULT '' CHECK (length(subscriber) <= 320),
  profile_name1     TEXT NOT NULL DEFAULT '' CHECK (length(profile_name1) <= 64),
  profile_name1_alt TEXT NOT NULL DEFAULT '' CHECK (length(profile_name1_alt) <= 64),
  profile_name2     TEXT NOT NULL DEFAULT '' CHECK (length(profile_name2) <= 64),
  profile_name2_alt TEXT NOT NULL DEFAULT '' CHECK (length(profile_name2_alt) <= 64),
  timezone          TEXT NOT NULL DEFAULT '' CHECK (length(timezone) <= 128),
  increment         INTEGER NULL,
  min_duration      INTEGER NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS billing_customers_idx ON billing_customers (gateway, domain, subscriber);

-- CDRTool's settings; the rating engine looks for var_name reloadRating here (B178).
CREATE TABLE IF NOT EXISTS settings (
  id              INTEGER PRIMARY KEY AUTOINCREMENT,
  billing_party   TEXT NOT NULL DEFAULT '' CHECK (length(billing_party) <= 255),
  var_name        TEXT NOT NULL DEFAULT '' CHECK (length(var_name) <= 100),
  var_description TEXT NOT NULL DEFAULT '' CHECK (length(var_description) <= 255),
  var_type        TEXT NOT NULL DEFAULT '' CHECK (length(var_type) <= 32),
  var_value       TEXT NULL,
  var_read_only   TEXT NOT NULL DEFAULT '0' CHECK (length(var_read_only) <= 1),
  var_defaults    TEXT NOT NULL DEFAULT '' CHECK (length(var_defaults) <= 255),
  var_module      TEXT NOT NULL DEFAULT '' CHECK (length(var_module) <= 64)
);
CREATE INDEX IF NOT EXISTS settings_idx ON settings (billing_party, var_name);

-- One table of calls. start_unix and stop_unix follow from AcctStartTime and AcctStopTime, which are UTC.
CREATE TABLE IF NOT EXISTS radacct (
  RadAcctId               INTEGER PRIMARY KEY AUTOINCREMENT,
  AcctSessionId           TEXT NOT NULL DEFAULT '' CHECK (length(AcctSessionId) <= 255),
  AcctUniqueId            TEXT NOT NULL DEFAULT '' CHECK (length(AcctUniqueId) <= 64),
  UserName                TEXT NOT NULL DEFAULT '' CHECK (length(UserName) <= 320),
  Realm                   TEXT NULL DEFAULT '' CHECK (length(Realm) <= 255),
  NASIPAddress            TEXT NOT NULL DEFAULT '' CHECK (length(NASIPAddress) <= 64),
  NASPortId               TEXT NOT NULL DEFAULT '' CHECK (length(NASPortId) <= 50),
  NASPortType             TEXT NOT NULL DEFAULT '' CHECK (length(NASPortType) <= 255),
  AcctStartTime           TEXT NOT NULL,
  AcctStopTime            TEXT NULL,
  AcctSessionTime         INTEGER NULL,
  AcctAuthentic           TEXT NULL CHECK (length(AcctAuthentic) <= 32),
  ConnectInfo_start       TEXT NULL CHECK (length(ConnectInfo_start) <= 64),
  ConnectInfo_stop        TEXT NULL CHECK (length(ConnectInfo_stop) <= 64),
  AcctInputOctets         INTEGER NOT NULL DEFAULT 0,
  AcctOutputOctets        INTEGER NOT NULL DEFAULT 0,
  CalledStationId         TEXT NOT NULL DEFAULT '' CHECK (length(CalledStationId) <= 320),
  CallingStationId        TEXT NOT NULL DEFAULT '' CHECK (length(CallingStationId) <= 320),
  AcctTerminateCause      TEXT NOT NULL DEFAULT '' CHECK (length(AcctTerminateCause) <= 32),
  ServiceType             TEXT NULL DEFAULT '' CHECK (length(ServiceType) <= 32),
  ENUMtld                 TEXT NOT NULL DEFAULT '' CHECK (length(ENUMtld) <= 255),
  FramedIPAddress         TEXT NOT NULL DEFAULT '' CHECK (length(FramedIPAddress) <= 64),
  Timestamp               INTEGER NOT NULL DEFAULT 0,
  DestinationId           TEXT NOT NULL DEFAULT '' CHECK (length(DestinationId) <= 15),
  Rate                    TEXT NULL,
  Price                   NUMERIC NULL,
  Normalized              TEXT NOT NULL DEFAULT '0' CHECK (length(Normalized) <= 1),
  BillingId               TEXT NULL DEFAULT '' CHECK (length(BillingId) <= 255),
  BillingPartyId          TEXT NOT NULL DEFAULT '' CHECK (length(BillingPartyId) <= 320),
  MediaInfo               TEXT NULL CHECK (length(MediaInfo) <= 32),
  RTPStatistics           TEXT NULL,
  FromHeader              TEXT NOT NULL DEFAULT '' CHECK (length(FromHeader) <= 512),
  UserAgent               TEXT NULL,
  Contact                 TEXT NOT NULL DEFAULT '' CHECK (length(Contact) <= 512),
  DelayTime               INTEGER NOT NULL DEFAULT 0,
  SipMethod               TEXT NOT NULL DEFAULT '' CHECK (length(SipMethod) <= 32),
  SipResponseCode         INTEGER NOT NULL DEFAULT 0,
  SipToTag                TEXT NOT NULL DEFAULT '' CHECK (length(SipToTag) <= 128),
  SipFromTag              TEXT NOT NULL DEFAULT '' CHECK (length(SipFromTag) <= 128),
  SipTranslatedRequestURI TEXT NOT NULL DEFAULT '' CHECK (length(SipTranslatedRequestURI) <= 512),
  SipUserAgents           TEXT NOT NULL DEFAULT '' CHECK (length(SipUserAgents) <= 512),
  SipApplicationType      TEXT NOT NULL DEFAULT '' CHECK (length(SipApplicationType) <= 255),
  SipCodecs               TEXT NOT NULL DEFAULT '' CHECK (length(SipCodecs) <= 255),
  SipRPID                 TEXT NOT NULL DEFAULT '' CHECK (length(SipRPID) <= 255),
  SipRPIDHeader           TEXT NOT NULL DEFAULT '' CHECK (length(SipRPIDHeader) <= 255),
  SourceIP                TEXT NOT NULL DEFAULT '' CHECK (length(SourceIP) <= 64),
  SourcePort              INTEGER NOT NULL DEFAULT 0,
  CanonicalURI            TEXT NOT NULL DEFAULT '' CHECK (length(CanonicalURI) <= 320),
  start_unix              INTEGER GENERATED ALWAYS AS (CAST(strftime('%s', AcctStartTime) AS INTEGER)) VIRTUAL,
  stop_unix               INTEGER GENERATED ALWAYS AS (CAST(strftime('%s', AcctStopTime) AS INTEGER)) VIRTUAL
);
CREATE UNIQUE INDEX IF NOT EXISTS sess_id ON radacct (AcctSessionId, SipFromTag, SipToTag);
CREATE INDEX IF NOT EXISTS radacct_user_idx ON radacct (UserName, AcctStartTime);
CREATE INDEX IF NOT EXISTS radacct_billing_idx ON radacct (BillingPartyId, AcctStartTime);
CREATE INDEX IF NOT EXISTS radacct_canonical_idx ON radacct (CanonicalURI, AcctStartTime);
CREATE INDEX IF NOT EXISTS radacct_calling_idx ON radacct (CallingStationId);
CREATE INDEX IF NOT EXISTS radacct_start_idx ON radacct (AcctStartTime);
CREATE INDEX IF NOT EXISTS radacct_normalized_idx ON radacct (Normalized);

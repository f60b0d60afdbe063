-- A hundred thousand accounts of one domain are listed from an index, in each order and by group; the journal is read
-- by login and by customer. Wider indexes take the place of narrow ones.
CREATE INDEX IF NOT EXISTS subscriber_domain_change_idx ON subscriber (domain, change_date, username);
CREATE INDEX IF NOT EXISTS subscriber_change_key_idx ON subscriber (change_date, username, domain);
DROP INDEX IF EXISTS subscriber_change_idx;
CREATE INDEX IF NOT EXISTS grp_members_idx ON grp (grp, domain, username);
DROP INDEX IF EXISTS grp_grp_idx;
CREATE INDEX IF NOT EXISTS journal_login_idx ON journal (login);
CREATE INDEX IF NOT EXISTS journal_impersonated_idx ON journal (impersonated);

-- The customers that a changed record names as its owner, before or after the change.
CREATE TABLE IF NOT EXISTS journal_customers (
  customer   INTEGER NOT NULL,
  journal_id INTEGER NOT NULL,
  PRIMARY KEY (customer, journal_id)
) WITHOUT ROWID;
INSERT OR IGNORE INTO journal_customers (customer, journal_id)
  SELECT json_extract(`after`, '$.customer'), id FROM journal
  WHERE json_valid(`after`) AND json_type(`after`, '$.customer') = 'integer';
INSERT OR IGNORE INTO journal_customers (customer, journal_id)
  SELECT json_extract(`before`, '$.customer'), id FROM journal
  WHERE json_valid(`before`) AND json_type(`before`, '$.customer') = 'integer';

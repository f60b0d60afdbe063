-- A hundred thousand accounts of one domain are listed from an index, in each order and by group; the journal is read
-- by login and by customer. Wider indexes take the place of narrow ones. One ALTER TABLE makes all of a table or none.
SET @ngn_ddl = IF(
  (SELECT COUNT(*) FROM information_schema.statistics
   WHERE table_schema = DATABASE() AND table_name = 'subscriber' AND index_name = 'subscriber_change_key_idx') > 0,
  'DO 0',
  'ALTER TABLE subscriber
     ADD INDEX subscriber_domain_change_idx (domain, change_date, username),
     ADD INDEX subscriber_change_key_idx (change_date, username, domain),
     DROP INDEX subscriber_change_idx'
);
PREPARE ngn_ddl FROM @ngn_ddl;
EXECUTE ngn_ddl;
DEALLOCATE PREPARE ngn_ddl;
SET @ngn_ddl = IF(
  (SELECT COUNT(*) FROM information_schema.statistics
   WHERE table_schema = DATABASE() AND table_name = 'grp' AND index_name = 'grp_members_idx') > 0,
  'DO 0',
  'ALTER TABLE grp ADD INDEX grp_members_idx (grp, domain, username), DROP INDEX grp_grp_idx'
);
PREPARE ngn_ddl FROM @ngn_ddl;
EXECUTE ngn_ddl;
DEALLOCATE PREPARE ngn_ddl;
SET @ngn_ddl = IF(
  (SELECT COUNT(*) FROM information_schema.statistics
   WHERE table_schema = DATABASE() AND table_name = 'journal' AND index_name = 'journal_login_idx') > 0,
  'DO 0',
  'ALTER TABLE journal ADD INDEX journal_login_idx (login), ADD INDEX journal_impersonated_idx (impersonated)'
);
PREPARE ngn_ddl FROM @ngn_ddl;
EXECUTE ngn_ddl;
DEALLOCATE PREPARE ngn_ddl;

-- The customers that a changed record names as its owner, before or after the change.
CREATE TABLE IF NOT EXISTS journal_customers (
  customer   BIGINT NOT NULL,
  journal_id BIGINT NOT NULL,
  PRIMARY KEY (customer, journal_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
INSERT IGNORE INTO journal_customers (customer, journal_id)
  SELECT CAST(JSON_VALUE(`after`, '$.customer') AS SIGNED), id FROM journal
  WHERE JSON_VALID(`after`) AND JSON_VALUE(`after`, '$.customer') REGEXP '^[0-9]{1,18}$';
INSERT IGNORE INTO journal_customers (customer, journal_id)
  SELECT CAST(JSON_VALUE(`before`, '$.customer') AS SIGNED), id FROM journal
  WHERE JSON_VALID(`before`) AND JSON_VALUE(`before`, '$.customer') REGEXP '^[0-9]{1,18}$';

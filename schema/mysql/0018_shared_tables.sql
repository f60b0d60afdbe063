-- What rating engines write into `prepaid` is looked for by the time of the change.
SET @ngn_ddl = IF(
  (SELECT COUNT(*) FROM information_schema.statistics
   WHERE table_schema = DATABASE() AND table_name = 'prepaid' AND index_name = 'prepaid_change_idx') > 0,
  'DO 0',
  'ALTER TABLE prepaid ADD INDEX prepaid_change_idx (change_date)'
);
PREPARE ngn_ddl FROM @ngn_ddl;
EXECUTE ngn_ddl;
DEALLOCATE PREPARE ngn_ddl;

-- What is needed to ask the sides of a call whether it goes on, while it does: read after a restart.
SET @ngn_ddl = IF(
  (SELECT COUNT(*) FROM information_schema.columns
   WHERE table_schema = DATABASE() AND table_name = 'radacct' AND column_name = 'dialog') > 0,
  'DO 0',
  'ALTER TABLE radacct ADD COLUMN dialog TEXT NULL'
);
PREPARE ngn_ddl FROM @ngn_ddl;
EXECUTE ngn_ddl;
DEALLOCATE PREPARE ngn_ddl;

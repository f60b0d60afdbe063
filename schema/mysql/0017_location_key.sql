-- Registrations are written over again and again: by the key that says which one it is, so that the row is found before
-- anything is put in, and without an index that each of them changes. One ALTER TABLE makes all of it or nothing.
SET @ngn_ddl = IF(
  (SELECT COUNT(*) FROM information_schema.statistics
   WHERE table_schema = DATABASE() AND table_name = 'location' AND index_name = 'location_contact_idx') > 0,
  'DO 0',
  'ALTER TABLE location
     DROP PRIMARY KEY,
     ADD PRIMARY KEY (ruid),
     ADD UNIQUE KEY location_contact_idx (contact_id),
     DROP KEY ruid_idx,
     DROP KEY location_expires_idx'
);
PREPARE ngn_ddl FROM @ngn_ddl;
EXECUTE ngn_ddl;
DEALLOCATE PREPARE ngn_ddl;

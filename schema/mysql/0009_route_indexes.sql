-- A hundred thousand routes are listed from an index, by each filter and order that screens have. MySQL has no
-- ADD INDEX IF NOT EXISTS; one ALTER TABLE makes all of them or none.
SET @ngn_ddl = IF(
  (SELECT COUNT(*) FROM information_schema.statistics
   WHERE table_schema = DATABASE() AND table_name = 'routes' AND index_name = 'routes_prefix_idx') > 0,
  'DO 0',
  'ALTER TABLE routes
     ADD INDEX routes_prefix_idx (prefix),
     ADD INDEX routes_reseller_prefix_idx (reseller, prefix),
     ADD INDEX routes_carrier_prefix_idx (carrier_id, prefix),
     ADD INDEX routes_originator_prefix_idx (originator, prefix),
     ADD INDEX routes_change_idx (change_date),
     ADD INDEX routes_reseller_change_idx (reseller, change_date),
     ADD INDEX routes_priority_idx (priority),
     ADD INDEX routes_reseller_priority_idx (reseller, priority)'
);
PREPARE ngn_ddl FROM @ngn_ddl;
EXECUTE ngn_ddl;
DEALLOCATE PREPARE ngn_ddl;

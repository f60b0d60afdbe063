-- Registrations are written over again and again: without an index that each of them changes.
DROP INDEX IF EXISTS location_expires_idx;

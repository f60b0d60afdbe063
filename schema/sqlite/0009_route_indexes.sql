-- A hundred thousand routes are listed from an index, by each filter and order that screens have.
CREATE INDEX IF NOT EXISTS routes_prefix_idx ON routes (prefix);
CREATE INDEX IF NOT EXISTS routes_reseller_prefix_idx ON routes (reseller, prefix);
CREATE INDEX IF NOT EXISTS routes_carrier_prefix_idx ON routes (carrier_id, prefix);
CREATE INDEX IF NOT EXISTS routes_originator_prefix_idx ON routes (originator, prefix);
CREATE INDEX IF NOT EXISTS routes_change_idx ON routes (change_date);
CREATE INDEX IF NOT EXISTS routes_reseller_change_idx ON routes (reseller, change_date);
CREATE INDEX IF NOT EXISTS routes_priority_idx ON routes (priority);
CREATE INDEX IF NOT EXISTS routes_reseller_priority_idx ON routes (reseller, priority);

-- PSTN routing: carrier 1-n gateway 1-n rule; route = prefix to carrier (B130).

CREATE TABLE IF NOT EXISTS carriers (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  name        TEXT NOT NULL CHECK (length(name) <= 255),
  reseller    INTEGER NOT NULL DEFAULT 0,
  change_date INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX IF NOT EXISTS carriers_name_idx ON carriers (reseller, name);

CREATE TABLE IF NOT EXISTS gateways (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  carrier_id  INTEGER NOT NULL,
  name        TEXT NOT NULL CHECK (length(name) <= 255),
  transport   TEXT NOT NULL DEFAULT 'udp' CHECK (length(transport) <= 8),
  ip          TEXT NOT NULL CHECK (length(ip) <= 255),
  port        INTEGER NOT NULL DEFAULT 5060,
  change_date INTEGER NOT NULL DEFAULT 0,
  CONSTRAINT gateways_carrier FOREIGN KEY (carrier_id) REFERENCES carriers (id)
);
CREATE UNIQUE INDEX IF NOT EXISTS gateways_name_idx ON gateways (carrier_id, name);

CREATE TABLE IF NOT EXISTS gateway_rules (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  gateway_id  INTEGER NOT NULL,
  prefix      TEXT NOT NULL DEFAULT '' CHECK (length(prefix) <= 64),
  strip       INTEGER NOT NULL DEFAULT 0,
  prepend     TEXT NOT NULL DEFAULT '' CHECK (length(prepend) <= 64),
  min_length  INTEGER NOT NULL DEFAULT 0,
  max_length  INTEGER NOT NULL DEFAULT 0,
  change_date INTEGER NOT NULL DEFAULT 0,
  CONSTRAINT gateway_rules_gateway FOREIGN KEY (gateway_id) REFERENCES gateways (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX IF NOT EXISTS gateway_rules_idx ON gateway_rules (gateway_id, prefix, min_length, max_length);

CREATE TABLE IF NOT EXISTS routes (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  reseller    INTEGER NOT NULL DEFAULT 0,
  prefix      TEXT NOT NULL DEFAULT '' CHECK (length(prefix) <= 64),
  originator  TEXT NOT NULL DEFAULT '' CHECK (length(originator) <= 255),
  carrier_id  INTEGER NOT NULL,
  priority    INTEGER NOT NULL DEFAULT 0,
  change_date INTEGER NOT NULL DEFAULT 0,
  CONSTRAINT routes_carrier FOREIGN KEY (carrier_id) REFERENCES carriers (id)
);
CREATE UNIQUE INDEX IF NOT EXISTS routes_idx ON routes (reseller, prefix, originator, carrier_id);
CREATE INDEX IF NOT EXISTS routes_carrier_idx ON routes (carrier_id);

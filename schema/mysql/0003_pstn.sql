-- PSTN routing: carrier 1-n gateway 1-n rule; route = prefix to carrier (B130).

CREATE TABLE IF NOT EXISTS carriers (
  id          BIGINT NOT NULL AUTO_INCREMENT,
  name        VARCHAR(255) NOT NULL,
  reseller    BIGINT NOT NULL DEFAULT 0,
  change_date BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (id),
  UNIQUE KEY carriers_name_idx (reseller, name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS gateways (
  id          BIGINT NOT NULL AUTO_INCREMENT,
  carrier_id  BIGINT NOT NULL,
  name        VARCHAR(255) NOT NULL,
  transport   VARCHAR(8) NOT NULL DEFAULT 'udp',
  ip          VARCHAR(255) NOT NULL,
  port        INT NOT NULL DEFAULT 5060,
  change_date BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (id),
  UNIQUE KEY gateways_name_idx (carrier_id, name),
  CONSTRAINT gateways_carrier FOREIGN KEY (carrier_id) REFERENCES carriers (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS gateway_rules (
  id          BIGINT NOT NULL AUTO_INCREMENT,
  gateway_id  BIGINT NOT NULL,
  prefix      VARCHAR(64) NOT NULL DEFAULT '',
  strip       INT NOT NULL DEFAULT 0,
  prepend     VARCHAR(64) NOT NULL DEFAULT '',
  min_length  INT NOT NULL DEFAULT 0,
  max_length  INT NOT NULL DEFAULT 0,
  change_date BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (id),
  UNIQUE KEY gateway_rules_idx (gateway_id, prefix, min_length, max_length),
  CONSTRAINT gateway_rules_gateway FOREIGN KEY (gateway_id) REFERENCES gateways (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS routes (
  id          BIGINT NOT NULL AUTO_INCREMENT,
  reseller    BIGINT NOT NULL DEFAULT 0,
  prefix      VARCHAR(64) NOT NULL DEFAULT '',
  originator  VARCHAR(255) NOT NULL DEFAULT '',
  carrier_id  BIGINT NOT NULL,
  priority    INT NOT NULL DEFAULT 0,
  change_date BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (id),
  UNIQUE KEY routes_idx (reseller, prefix, originator, carrier_id),
  KEY routes_carrier_idx (carrier_id),
  CONSTRAINT routes_carrier FOREIGN KEY (carrier_id) REFERENCES carriers (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

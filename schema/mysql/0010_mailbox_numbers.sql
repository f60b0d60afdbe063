-- The highest mailbox number that was ever given out: whoever gets the next one must not find another one's messages.
CREATE TABLE IF NOT EXISTS mailbox_numbers (
  id   INT NOT NULL,
  last BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
INSERT IGNORE INTO mailbox_numbers (id, last) VALUES (1, 0);

-- The highest mailbox number that was ever given out: whoever gets the next one must not find another one's messages.
CREATE TABLE IF NOT EXISTS mailbox_numbers (
  id   INTEGER NOT NULL PRIMARY KEY,
  last INTEGER NOT NULL DEFAULT 0
);
INSERT OR IGNORE INTO mailbox_numbers (id, last) VALUES (1, 0);

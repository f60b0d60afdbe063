-- Passwords that must be readable and are encrypted with a key that is not in the database: `KEY.BASE64`.
-- kind 1: customers, record is customers.id; kind 2: SIP accounts, record is subscriber.id.
CREATE TABLE IF NOT EXISTS sealed_passwords (
  kind   INTEGER NOT NULL,
  record INTEGER NOT NULL,
  sealed TEXT NOT NULL CHECK (length(sealed) <= 2816),
  PRIMARY KEY (kind, record)
);

-- Passwords that must be readable and are encrypted with a key that is not in the database: `KEY.BASE64`.
-- kind 1: customers, record is customers.id; kind 2: SIP accounts, record is subscriber.id.
CREATE TABLE IF NOT EXISTS sealed_passwords (
  kind   INT NOT NULL,
  record BIGINT NOT NULL,
  sealed VARCHAR(2816) NOT NULL,
  PRIMARY KEY (kind, record)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What rating engines write into `prepaid` is looked for by the time of the change, which MySQL keeps by itself.
CREATE INDEX IF NOT EXISTS prepaid_change_idx ON prepaid (change_date);
CREATE TRIGGER IF NOT EXISTS prepaid_changed AFTER UPDATE OF balance ON prepaid
WHEN NEW.change_date IS OLD.change_date
BEGIN
  UPDATE prepaid SET change_date = CURRENT_TIMESTAMP WHERE id = NEW.id;
END;

-- What is needed to ask the sides of a call whether it goes on, while it does: read after a restart.
ALTER TABLE radacct ADD COLUMN dialog TEXT NULL;

-- The import that brought the event: NULL for none, and in rows of before.
ALTER TABLE events ADD COLUMN import_id VARCHAR;

-- The import that brought the event: NULL for none, and in rows of before.
ALTER TABLE {{local "events"}} ADD COLUMN IF NOT EXISTS import_id LowCardinality(Nullable(String))
;

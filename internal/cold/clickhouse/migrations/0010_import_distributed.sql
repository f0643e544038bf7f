-- After all servers of a cluster have the column.
ALTER TABLE {{global "events"}} ADD COLUMN IF NOT EXISTS import_id LowCardinality(Nullable(String))
;

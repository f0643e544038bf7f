-- After all servers of a cluster have the columns.
ALTER TABLE {{global "events"}} ADD COLUMN IF NOT EXISTS request_bytes Nullable(Int64)
;
ALTER TABLE {{global "events"}} ADD COLUMN IF NOT EXISTS response_bytes Nullable(Int64)
;
ALTER TABLE {{global "events"}} ADD COLUMN IF NOT EXISTS error Nullable(String)
;
ALTER TABLE {{global "events"}} ADD COLUMN IF NOT EXISTS error_shape LowCardinality(Nullable(String))
;
ALTER TABLE {{global "events"}} ADD COLUMN IF NOT EXISTS trace_id Nullable(String)
;

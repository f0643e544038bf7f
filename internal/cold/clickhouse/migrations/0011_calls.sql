-- What calls may carry besides. NULL is unknown, as in all rows of before. error_shape is weir.ErrorShape.
ALTER TABLE {{local "events"}} ADD COLUMN IF NOT EXISTS request_bytes Nullable(Int64) CODEC(T64, ZSTD(1))
;
ALTER TABLE {{local "events"}} ADD COLUMN IF NOT EXISTS response_bytes Nullable(Int64) CODEC(T64, ZSTD(1))
;
ALTER TABLE {{local "events"}} ADD COLUMN IF NOT EXISTS error Nullable(String) CODEC(ZSTD(1))
;
ALTER TABLE {{local "events"}} ADD COLUMN IF NOT EXISTS error_shape LowCardinality(Nullable(String))
;
ALTER TABLE {{local "events"}} ADD COLUMN IF NOT EXISTS trace_id Nullable(String) CODEC(ZSTD(1))
;

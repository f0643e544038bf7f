-- After all servers of a cluster have the columns.
ALTER TABLE {{global "events"}} ADD COLUMN IF NOT EXISTS replaces_ms Nullable(Float64)
;
ALTER TABLE {{global "events"}} ADD COLUMN IF NOT EXISTS rest_ms Nullable(Float64)
;
ALTER TABLE {{global "visits"}} ADD COLUMN IF NOT EXISTS formerly String
;

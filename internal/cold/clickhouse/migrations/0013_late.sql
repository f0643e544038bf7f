-- What late events change about what is stored, see weir.EventRow and weir.VisitRow.
ALTER TABLE {{local "events"}} ADD COLUMN IF NOT EXISTS replaces_ms Nullable(Float64) CODEC(ZSTD(1))
;
ALTER TABLE {{local "events"}} ADD COLUMN IF NOT EXISTS rest_ms Nullable(Float64) CODEC(ZSTD(1))
;
ALTER TABLE {{local "visits"}} ADD COLUMN IF NOT EXISTS formerly String CODEC(ZSTD(1))
;

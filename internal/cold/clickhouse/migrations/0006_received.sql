-- When what says so was received: NULL on rows of before, which are older than any erasure from now on. Of links of one
-- time the one that is written last counts.
ALTER TABLE {{local "visits"}} ADD COLUMN IF NOT EXISTS received_at Nullable(DateTime64(6, 'UTC')) CODEC(ZSTD(1))
;
-- Who else is in the visit, see weir.Beside.
ALTER TABLE {{local "visits"}} ADD COLUMN IF NOT EXISTS beside String CODEC(ZSTD(1))
;
ALTER TABLE {{local "identities"}} ADD COLUMN IF NOT EXISTS received_at Nullable(DateTime64(6, 'UTC')) CODEC(ZSTD(1))
;
ALTER TABLE {{local "aliases"}} ADD COLUMN IF NOT EXISTS received_at Nullable(DateTime64(6, 'UTC')) CODEC(ZSTD(1))
;
ALTER TABLE {{local "traits"}} ADD COLUMN IF NOT EXISTS received_at Nullable(DateTime64(6, 'UTC')) CODEC(ZSTD(1))
;

-- Which batch a row is of, so that a batch that comes again finds its own rows: the first 64 bits of the SHA-256 of its
-- token, 0 in rows of before. Of tallies that are added up it is the last batch's.
ALTER TABLE {{local "visits"}} ADD COLUMN IF NOT EXISTS batch UInt64 CODEC(ZSTD(1))
;
ALTER TABLE {{local "tallies"}} ADD COLUMN IF NOT EXISTS batch SimpleAggregateFunction(anyLast, UInt64) CODEC(ZSTD(1))
;

-- After all servers of a cluster have the column.
ALTER TABLE {{global "visits"}} ADD COLUMN IF NOT EXISTS batch UInt64
;
ALTER TABLE {{global "tallies"}} ADD COLUMN IF NOT EXISTS batch SimpleAggregateFunction(anyLast, UInt64)
;

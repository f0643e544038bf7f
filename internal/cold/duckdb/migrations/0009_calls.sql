-- What calls may carry besides. NULL is unknown, as in all rows of before.
ALTER TABLE events ADD COLUMN request_bytes BIGINT;
ALTER TABLE events ADD COLUMN response_bytes BIGINT;
ALTER TABLE events ADD COLUMN error VARCHAR;
ALTER TABLE events ADD COLUMN error_shape VARCHAR; -- see weir.ErrorShape
ALTER TABLE events ADD COLUMN trace_id VARCHAR;

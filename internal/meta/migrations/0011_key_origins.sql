-- The hosts of the pages that may send with a key, with commas between them. NULL: a key for every sender.
ALTER TABLE write_keys ADD COLUMN origins TEXT;

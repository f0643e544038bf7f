-- The keys that the nodes' key rings have, each with a checksum that only that key has.
CREATE TABLE ring_keys (
    id       TEXT PRIMARY KEY,
    checksum TEXT NOT NULL
);

-- Keys that nodes make and check signatures with: hex, made at random when they are first needed.
CREATE TABLE secrets (
    name TEXT PRIMARY KEY,
    key  TEXT NOT NULL
);

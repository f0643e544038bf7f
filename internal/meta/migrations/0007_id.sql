-- The store's name for ever, made at random when it is first opened: a fleet knows by it whether a node has the same users and projects.
CREATE TABLE store (
    only_row BIGINT PRIMARY KEY CHECK (only_row = 1),
    id       TEXT NOT NULL
);

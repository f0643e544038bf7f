-- The time that deletions go by, and since when the clock shows one that is far ahead of it: see clock.go.
CREATE TABLE clock (
    id      BIGINT PRIMARY KEY, -- 1
    settled BIGINT NOT NULL,
    doubted BIGINT NOT NULL     -- 0: it does not
);

-- Before when a project's past has been deleted from the cold tier.
CREATE TABLE forgotten (
    project_id TEXT PRIMARY KEY REFERENCES projects (id),
    before_at  BIGINT NOT NULL
);

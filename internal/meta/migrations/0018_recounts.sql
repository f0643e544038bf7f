-- Projects whose timezone changed: their counters are counted again.
CREATE TABLE recounts (
    project_id TEXT PRIMARY KEY REFERENCES projects (id),
    id         TEXT NOT NULL,   -- of the change
    asked_at   BIGINT NOT NULL,
    done       BIGINT NOT NULL  -- days, from the newest on
);

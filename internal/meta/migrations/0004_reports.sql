-- A report of each day of a project, in its timezone.
CREATE TABLE reports (
    project_id  TEXT NOT NULL REFERENCES projects (id),
    day         TEXT NOT NULL,   -- YYYY-MM-DD
    revision    BIGINT NOT NULL, -- 1, and one more each time that the numbers changed
    events      BIGINT NOT NULL, -- as the report says
    counted     BIGINT NOT NULL, -- by the counters; -1 when they were no longer kept
    computed_at BIGINT NOT NULL,
    body        TEXT NOT NULL,   -- all of it, as JSON
    PRIMARY KEY (project_id, day)
);

-- When a project's reports are computed, where it is not the server's time.
CREATE TABLE report_times (
    project_id TEXT PRIMARY KEY REFERENCES projects (id),
    run_at     TEXT NOT NULL -- HH:MM in the project's timezone, or off
);

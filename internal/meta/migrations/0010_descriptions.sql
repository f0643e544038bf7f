-- What people wrote about an event's name or a column. kind is event or column. Without a row there is no text and it is not hidden.
CREATE TABLE descriptions (
    project_id TEXT NOT NULL REFERENCES projects (id),
    kind       TEXT NOT NULL,
    name       TEXT NOT NULL,
    text       TEXT NOT NULL,
    hidden     BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, kind, name)
);

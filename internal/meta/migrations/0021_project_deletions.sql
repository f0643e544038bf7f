-- Projects that are being deleted, or were. Nothing else of them is in this store. error is why the last try failed, or ''.
CREATE TABLE project_deletions (
    project_id   TEXT PRIMARY KEY,
    name         TEXT NOT NULL,
    requested_at BIGINT NOT NULL,
    step         TEXT NOT NULL,
    passes       BIGINT NOT NULL,
    next_at      BIGINT NOT NULL,
    error        TEXT NOT NULL
);

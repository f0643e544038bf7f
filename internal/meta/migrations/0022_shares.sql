-- Shared links. hash is that of the link's secret; sealed is the secret, encrypted by the key ring, so that the link can be copied again.
-- shows says what the link shows, item which one of those of its kind, '' where there is one only. password is a hash, '' for none.
-- ends_at NULL: it does not end. origins are the hosts of pages that may embed it, with commas between them; NULL for none.
CREATE TABLE shares (
    id           TEXT PRIMARY KEY,
    project_id   TEXT NOT NULL REFERENCES projects (id),
    hash         TEXT NOT NULL UNIQUE,
    sealed       TEXT NOT NULL,
    shows        TEXT NOT NULL,
    item         TEXT NOT NULL,
    password     TEXT NOT NULL,
    origins      TEXT,
    created_by   TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    ends_at      BIGINT,
    last_used_at BIGINT
);
CREATE INDEX shares_project ON shares (project_id);

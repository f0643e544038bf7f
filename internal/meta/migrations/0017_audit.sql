-- Administrative acts, done or refused. Ids are '' where there is none; what they name may be gone. detail is JSON or ''.
CREATE TABLE audit (
    id         TEXT PRIMARY KEY,
    at         BIGINT NOT NULL,
    act        TEXT NOT NULL,
    refused    BIGINT NOT NULL,
    user_id    TEXT NOT NULL,
    token_id   TEXT NOT NULL,
    name       TEXT NOT NULL,
    via        TEXT NOT NULL,
    project_id TEXT NOT NULL,
    target     TEXT NOT NULL,
    detail     TEXT NOT NULL,
    address    TEXT NOT NULL,
    request_id TEXT NOT NULL
);

CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_project ON audit (project_id, at);
CREATE INDEX audit_refused ON audit (refused, at);

-- Portable on purpose: TEXT and BIGINT only. Times are microseconds since 1970
-- UTC, flags are 0 or 1, hashes are lower-case hex, salts and blobs base64.

CREATE TABLE users (
    id         TEXT PRIMARY KEY,
    email      TEXT NOT NULL UNIQUE,
    name       TEXT NOT NULL,
    password   TEXT NOT NULL,
    admin      BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

-- At most one row: whoever inserts it is the first-run owner.
CREATE TABLE setup (
    only_row BIGINT PRIMARY KEY CHECK (only_row = 1),
    done_at  BIGINT NOT NULL
);

CREATE TABLE projects (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    timezone    TEXT NOT NULL,
    store_ip    BIGINT NOT NULL,
    import_salt TEXT NOT NULL,
    created_at  BIGINT NOT NULL
);

CREATE TABLE members (
    user_id    TEXT NOT NULL REFERENCES users (id),
    project_id TEXT NOT NULL REFERENCES projects (id),
    role       TEXT NOT NULL,
    PRIMARY KEY (user_id, project_id)
);

CREATE TABLE write_keys (
    id         TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES projects (id),
    hash       TEXT NOT NULL UNIQUE,
    last4      TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT
);

CREATE INDEX write_keys_project ON write_keys (project_id);

CREATE TABLE tokens (
    id         TEXT PRIMARY KEY,
    hash       TEXT NOT NULL UNIQUE,
    name       TEXT NOT NULL,
    last4      TEXT NOT NULL,
    scope      TEXT NOT NULL,
    admin      BIGINT NOT NULL,
    project_id TEXT REFERENCES projects (id),
    role       TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE sessions (
    hash       TEXT PRIMARY KEY,
    data       TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE salts (
    day  TEXT PRIMARY KEY,
    salt TEXT NOT NULL
);

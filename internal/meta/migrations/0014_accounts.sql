-- Sessions are rows that their users can see, and are in this store on every node. The former ones, which
-- had no user, end.
DROP TABLE sessions;

CREATE TABLE sessions (
    hash       TEXT PRIMARY KEY,
    id         TEXT NOT NULL UNIQUE,
    user_id    TEXT NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL,
    device     TEXT NOT NULL,
    country    TEXT NOT NULL,
    network    TEXT NOT NULL
);

CREATE INDEX sessions_user ON sessions (user_id);

DELETE FROM secrets WHERE name = 'sessions';

-- A password of '' is none.
ALTER TABLE users ADD COLUMN inactive BIGINT NOT NULL DEFAULT 0;

-- Links by which people choose a password. One of each user is good.
CREATE TABLE resets (
    user_id    TEXT PRIMARY KEY REFERENCES users (id),
    hash       TEXT NOT NULL UNIQUE,
    expires_at BIGINT NOT NULL
);

-- Links that make an account, or give one a role. project_id is NULL for an admin of the server.
CREATE TABLE invitations (
    id         TEXT PRIMARY KEY,
    hash       TEXT NOT NULL UNIQUE,
    email      TEXT NOT NULL,
    project_id TEXT REFERENCES projects (id),
    role       TEXT NOT NULL,
    invited_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX invitations_project ON invitations (project_id);

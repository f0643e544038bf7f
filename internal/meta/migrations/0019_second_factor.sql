-- A second factor of a user, on once it is confirmed. last_step is the period of the last code that was used.
CREATE TABLE totp (
    user_id   TEXT PRIMARY KEY REFERENCES users (id),
    secret    TEXT NOT NULL,
    confirmed BIGINT NOT NULL,
    last_step BIGINT NOT NULL
);

CREATE TABLE recovery_codes (
    user_id TEXT NOT NULL REFERENCES users (id),
    hash    TEXT NOT NULL,
    PRIMARY KEY (user_id, hash)
);

-- What an administrator sets for the whole server, as JSON.
CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- How the session began: password or provider.
ALTER TABLE sessions ADD COLUMN method TEXT NOT NULL DEFAULT 'password';

-- Who signs in with which identity of a provider: one of each provider.
CREATE TABLE identities (
    issuer  TEXT NOT NULL,
    subject TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id),
    PRIMARY KEY (issuer, subject),
    UNIQUE (issuer, user_id)
);

CREATE INDEX identities_user ON identities (user_id);

-- Sign-ins with a provider that are under way.
CREATE TABLE oidc_flows (
    hash       TEXT PRIMARY KEY,
    nonce      TEXT NOT NULL,
    verifier   TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);

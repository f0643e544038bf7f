-- Names that senders know a project by besides its write keys: a domain, another vendor's id. Lower case. They are no secrets.
CREATE TABLE sites (
    site       TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES projects (id),
    created_at BIGINT NOT NULL
);
CREATE INDEX sites_project ON sites (project_id);

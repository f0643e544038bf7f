-- What a token may do, as names with commas between them, in place of a scope and a role. It acts for user_id if there is
-- one, otherwise for project_id. NULL in expires_at: it does not end; in last_used_at: it was not used since this version.
ALTER TABLE tokens ADD COLUMN scopes TEXT NOT NULL DEFAULT '';
ALTER TABLE tokens ADD COLUMN user_id TEXT REFERENCES users (id);
ALTER TABLE tokens ADD COLUMN expires_at BIGINT;
ALTER TABLE tokens ADD COLUMN last_used_at BIGINT;
UPDATE tokens SET scopes = CASE
    WHEN scope <> 'write' THEN 'read,persons'
    WHEN admin = 1 OR role IN ('admin', 'owner') THEN 'read,persons,write,ingest,admin'
    WHEN role = 'editor' THEN 'read,persons,write'
    ELSE 'read,persons' END;
ALTER TABLE tokens DROP COLUMN scope;
ALTER TABLE tokens DROP COLUMN role;
CREATE INDEX tokens_user ON tokens (user_id);
CREATE INDEX tokens_project ON tokens (project_id);

-- Owner is the first administrator of the whole server, and no role in a project.
UPDATE members SET role = 'admin' WHERE role = 'owner';
CREATE INDEX members_project ON members (project_id);
ALTER TABLE setup ADD COLUMN owner_id TEXT REFERENCES users (id);
UPDATE setup SET owner_id = (SELECT id FROM users WHERE admin = 1 ORDER BY created_at, id LIMIT 1);

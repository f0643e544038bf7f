-- What a project may bring in. Rates are text such as 1000/s or off; '' is the server's. A quota of 0 is none.
ALTER TABLE projects ADD COLUMN limit_key TEXT NOT NULL DEFAULT '';
ALTER TABLE projects ADD COLUMN limit_ip TEXT NOT NULL DEFAULT '';
ALTER TABLE projects ADD COLUMN quota BIGINT NOT NULL DEFAULT 0;
ALTER TABLE projects ADD COLUMN quota_over TEXT NOT NULL DEFAULT 'refuse';
ALTER TABLE projects ADD COLUMN quota_sample BIGINT NOT NULL DEFAULT 10;

-- Events that were not taken as they were sent, by what became of them. Month is 2006-01, the project's.
CREATE TABLE overflows (
    project_id TEXT NOT NULL REFERENCES projects (id),
    month      TEXT NOT NULL,
    reason     TEXT NOT NULL,
    events     BIGINT NOT NULL,
    PRIMARY KEY (project_id, month, reason)
);

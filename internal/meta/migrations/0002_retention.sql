-- Days that a project's events are kept for; 0 is for ever.
ALTER TABLE projects ADD COLUMN retention_days INTEGER NOT NULL DEFAULT 0;

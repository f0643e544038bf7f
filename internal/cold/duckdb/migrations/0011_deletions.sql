-- Deletions of events, a row for each step that is done. See DESIGN.md.
CREATE TABLE deletions (
    project_id VARCHAR   NOT NULL,
    id         VARCHAR   NOT NULL,
    step       INTEGER   NOT NULL, -- the greatest counts
    received_before TIMESTAMP NOT NULL, -- only what was received before is deleted
    spec       VARCHAR   NOT NULL, -- JSON: which events
    deleted_by VARCHAR   NOT NULL,
    events     BIGINT    NOT NULL,
    visits     BIGINT    NOT NULL,
    days       BIGINT    NOT NULL,
    changed_at TIMESTAMP NOT NULL
);

-- The events that each deletion deletes, stored before the first one is deleted.
CREATE TABLE deleted_events (
    project_id  VARCHAR   NOT NULL,
    deletion_id VARCHAR   NOT NULL,
    ts          TIMESTAMP NOT NULL,
    quarter     INTEGER   NOT NULL,
    name        VARCHAR   NOT NULL,
    id          VARCHAR   NOT NULL,
    received_at TIMESTAMP NOT NULL,
    profile_id  VARCHAR   NOT NULL,
    device_id   VARCHAR   NOT NULL,
    session_id  VARCHAR   NOT NULL,
    person      VARCHAR   NOT NULL,
    bot         BOOLEAN   NOT NULL,
    method      VARCHAR,
    route       VARCHAR,
    status      INTEGER,
    consumer    VARCHAR,
    shard       INTEGER   NOT NULL,
    seq         UBIGINT   NOT NULL
);

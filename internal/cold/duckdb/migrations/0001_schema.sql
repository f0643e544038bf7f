-- The cold tier's tables. Timestamps are UTC microseconds. Text that is unknown
-- is '', numbers that are unknown are NULL. All tables are append-only, but for
-- batches, which forgets old tokens.

CREATE TABLE events (
    project_id      VARCHAR   NOT NULL,
    ts              TIMESTAMP NOT NULL,
    quarter         INTEGER   NOT NULL, -- ts in quarters of an hour since 1970, rounded down
    name            VARCHAR   NOT NULL,
    id              VARCHAR   NOT NULL,
    received_at     TIMESTAMP NOT NULL,
    profile_id      VARCHAR   NOT NULL,
    device_id       VARCHAR   NOT NULL,
    session_id      VARCHAR   NOT NULL,
    person          VARCHAR   NOT NULL, -- 'u' || profile_id, else 'd' || device_id, else ''
    path            VARCHAR   NOT NULL,
    origin          VARCHAR   NOT NULL,
    title           VARCHAR   NOT NULL,
    referrer        VARCHAR   NOT NULL,
    channel         VARCHAR   NOT NULL,
    utm_source      VARCHAR   NOT NULL,
    utm_medium      VARCHAR   NOT NULL,
    utm_campaign    VARCHAR   NOT NULL,
    utm_term        VARCHAR   NOT NULL,
    utm_content     VARCHAR   NOT NULL,
    country         VARCHAR   NOT NULL,
    region          VARCHAR   NOT NULL,
    city            VARCHAR   NOT NULL,
    browser         VARCHAR   NOT NULL,
    browser_version VARCHAR   NOT NULL,
    os              VARCHAR   NOT NULL,
    os_version      VARCHAR   NOT NULL,
    device_type     VARCHAR   NOT NULL,
    bot             BOOLEAN   NOT NULL,
    language        VARCHAR   NOT NULL,
    library         VARCHAR   NOT NULL,
    method          VARCHAR,            -- NULL unless the event is a call
    route           VARCHAR,            -- NULL unless the event is a call
    status          INTEGER,            -- NULL when unknown or not a call
    latency_ms      DOUBLE,             -- NULL when unknown or not a call
    consumer        VARCHAR,            -- NULL unless the event is a call
    revenue         DOUBLE,             -- NULL when none
    currency        VARCHAR   NOT NULL,
    properties      VARCHAR,            -- a JSON object, NULL for none
    inherited_from  VARCHAR   NOT NULL,
    closes_event_id VARCHAR   NOT NULL,
    closes_path     VARCHAR   NOT NULL,
    closes_ms       BIGINT    NOT NULL, -- 0 where closes_event_id is ''
    shard           INTEGER   NOT NULL,
    seq             UBIGINT   NOT NULL
);

-- Who was there in which quarter of an hour: at least one row for each person and
-- quarter of events.
CREATE TABLE sightings (
    project_id VARCHAR NOT NULL,
    quarter    INTEGER NOT NULL,
    person     VARCHAR NOT NULL
);

-- One row per batch and visit it touched; rows of a visit add up.
CREATE TABLE visits (
    project_id   VARCHAR   NOT NULL,
    device_id    VARCHAR   NOT NULL,
    session_id   VARCHAR   NOT NULL,
    profile_id   VARCHAR   NOT NULL,
    start_at     TIMESTAMP NOT NULL,
    end_at       TIMESTAMP NOT NULL,
    entry        VARCHAR   NOT NULL,
    exit         VARCHAR   NOT NULL,
    entry_at     TIMESTAMP,          -- NULL when the batch had no screen view
    exit_at      TIMESTAMP,          -- NULL when the batch had no screen view
    events       BIGINT    NOT NULL,
    screen_views BIGINT    NOT NULL,
    interactive  BIGINT    NOT NULL,
    calls        BIGINT    NOT NULL,
    revenue      DOUBLE    NOT NULL,
    ended        BOOLEAN   NOT NULL,
    bot          BOOLEAN   NOT NULL,
    referrer     VARCHAR   NOT NULL,
    channel      VARCHAR   NOT NULL,
    utm_source   VARCHAR   NOT NULL,
    utm_medium   VARCHAR   NOT NULL,
    utm_campaign VARCHAR   NOT NULL,
    country      VARCHAR   NOT NULL,
    region       VARCHAR   NOT NULL,
    city         VARCHAR   NOT NULL,
    browser      VARCHAR   NOT NULL,
    os           VARCHAR   NOT NULL,
    device_type  VARCHAR   NOT NULL,
    language     VARCHAR   NOT NULL
);

-- Reserved for the traits of identified users.
CREATE TABLE profiles (
    project_id VARCHAR   NOT NULL,
    profile_id VARCHAR   NOT NULL,
    changed_at TIMESTAMP NOT NULL,
    traits     VARCHAR   NOT NULL  -- a JSON object
);

-- Said as often as it was sent; the earliest link of a device counts.
CREATE TABLE identities (
    project_id VARCHAR   NOT NULL,
    device_id  VARCHAR   NOT NULL,
    profile_id VARCHAR   NOT NULL,
    linked_at  TIMESTAMP NOT NULL
);

CREATE TABLE dead_letters (
    project_id VARCHAR   NOT NULL,
    shard      INTEGER   NOT NULL,
    seq        UBIGINT   NOT NULL,
    reason     VARCHAR   NOT NULL,
    event      BLOB      NOT NULL, -- the event as JSON, as it came
    refused_at TIMESTAMP NOT NULL
);

-- The batches that are in: a token that stands here is never written again.
CREATE TABLE batches (
    token      VARCHAR   PRIMARY KEY,
    shard      INTEGER   NOT NULL,
    first_seq  UBIGINT   NOT NULL,
    last_seq   UBIGINT   NOT NULL,
    written_at TIMESTAMP NOT NULL
);

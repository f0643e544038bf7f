-- Deletions of events, a row for each step that is done. See DESIGN.md.
CREATE TABLE IF NOT EXISTS {{local "deletions"}} (
    project_id LowCardinality(String),
    id         String,
    step       Int32,                  -- the greatest counts
    received_before DateTime64(6, 'UTC'),   -- only what was received before is deleted
    spec       String CODEC(ZSTD(1)),  -- JSON: which events
    deleted_by String,
    events     Int64,
    visits     Int64,
    days       Int64,
    changed_at DateTime64(6, 'UTC')
) ENGINE = {{engine "ReplacingMergeTree" "deletions"}}
ORDER BY (project_id, id, step)
SETTINGS {{settings}}
;

-- The events that each deletion deletes, stored before the first one is deleted.
CREATE TABLE IF NOT EXISTS {{local "deleted_events"}} (
    project_id  LowCardinality(String),
    deletion_id LowCardinality(String),
    ts          DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    quarter     Int32 CODEC(Delta, ZSTD(1)),
    name        LowCardinality(String),
    id          String CODEC(ZSTD(1)),
    received_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    profile_id  String CODEC(ZSTD(1)),
    device_id   String CODEC(ZSTD(1)),
    session_id  String CODEC(ZSTD(1)),
    person      String CODEC(ZSTD(1)),
    bot         Bool,
    method      LowCardinality(Nullable(String)),
    route       LowCardinality(Nullable(String)),
    status      Nullable(Int32) CODEC(ZSTD(1)),
    consumer    LowCardinality(Nullable(String)),
    shard       Int32 CODEC(ZSTD(1)),
    seq         UInt64 CODEC(Delta, ZSTD(1))
) ENGINE = {{engine "ReplacingMergeTree" "deleted_events"}}
ORDER BY (project_id, deletion_id, quarter, shard, seq, id)
SETTINGS {{settings}}
;

{{distributed "deletions" "cityHash64(project_id)"}}
;
{{distributed "deleted_events" "cityHash64(project_id, device_id)"}}
;

-- The cold tier's tables. Timestamps are UTC microseconds. Text that is unknown is '', numbers that are unknown are NULL.
-- Statements end with a line that is a semicolon. See DESIGN.md for what was measured.

CREATE TABLE IF NOT EXISTS weir.events_local (
    project_id      LowCardinality(String),
    ts              DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    quarter         Int32 CODEC(Delta, ZSTD(1)), -- ts in quarters of an hour since 1970, rounded down
    name            LowCardinality(String),
    id              String CODEC(ZSTD(1)),
    received_at     DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    profile_id      String CODEC(ZSTD(1)),
    device_id       String CODEC(ZSTD(1)),
    session_id      String CODEC(ZSTD(1)),
    person          String CODEC(ZSTD(1)),       -- 'u' || profile_id, else 'd' || device_id, else ''
    path            String CODEC(ZSTD(1)),
    origin          LowCardinality(String),
    title           String CODEC(ZSTD(1)),
    referrer        LowCardinality(String),
    channel         LowCardinality(String),
    utm_source      LowCardinality(String),
    utm_medium      LowCardinality(String),
    utm_campaign    LowCardinality(String),
    utm_term        LowCardinality(String),
    utm_content     LowCardinality(String),
    country         LowCardinality(String),
    region          LowCardinality(String),
    city            LowCardinality(String),
    browser         LowCardinality(String),
    browser_version LowCardinality(String),
    os              LowCardinality(String),
    os_version      LowCardinality(String),
    device_type     LowCardinality(String),
    bot             Bool,
    language        LowCardinality(String),
    library         LowCardinality(String),
    method          LowCardinality(Nullable(String)), -- NULL unless the event is a call
    route           LowCardinality(Nullable(String)), -- NULL unless the event is a call
    status          Nullable(Int32) CODEC(ZSTD(1)),   -- NULL when unknown or not a call
    latency_ms      Nullable(Float64) CODEC(ZSTD(1)), -- NULL when unknown or not a call
    consumer        LowCardinality(Nullable(String)), -- NULL unless the event is a call
    revenue         Nullable(Float64) CODEC(ZSTD(1)), -- NULL when none
    currency        LowCardinality(String),
    properties      Nullable(String) CODEC(ZSTD(1)),  -- a JSON object, NULL for none
    inherited_from  String CODEC(ZSTD(1)),
    closes_event_id String CODEC(ZSTD(1)),
    closes_path     String CODEC(ZSTD(1)),
    closes_ms       Int64 CODEC(T64, ZSTD(1)),        -- 0 where closes_event_id is ''
    shard           Int32 CODEC(ZSTD(1)),
    seq             UInt64 CODEC(Delta, ZSTD(1)),
    log             LowCardinality(String),           -- of the hot tier that shard and seq are of
    INDEX by_ts ts TYPE minmax GRANULARITY 1,
    INDEX by_quarter quarter TYPE minmax GRANULARITY 1
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/weir/events', '{replica}')
PARTITION BY toYYYYMM(ts)
ORDER BY (project_id, toDate(ts), name, device_id, ts)

SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1, merge_selector_base = 10
;
CREATE TABLE IF NOT EXISTS weir.sightings_local (
    project_id LowCardinality(String),
    quarter    Int32 CODEC(Delta, ZSTD(1)),
    person     String CODEC(ZSTD(1))
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/weir/sightings', '{replica}')
PARTITION BY toYYYYMM(fromUnixTimestamp64Second(toInt64(quarter) * 900, 'UTC'))
ORDER BY (project_id, quarter, person)
SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1, merge_selector_base = 10
;
-- How many events of a kind there are in a quarter of an hour. log, shard and last_seq say of which batches.
CREATE TABLE IF NOT EXISTS weir.tallies_local (
    project_id LowCardinality(String),
    quarter    Int32 CODEC(Delta, ZSTD(1)),
    name       LowCardinality(String),
    method     LowCardinality(Nullable(String)),
    route      LowCardinality(Nullable(String)),
    status     Nullable(Int32),
    events     SimpleAggregateFunction(sum, Int64) CODEC(T64, ZSTD(1)),
    log        LowCardinality(String),
    shard      Int32,
    last_seq   SimpleAggregateFunction(max, UInt64) CODEC(ZSTD(1))
) ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{shard}/weir/tallies', '{replica}')
PARTITION BY toYYYYMM(fromUnixTimestamp64Second(toInt64(quarter) * 900, 'UTC'))
ORDER BY (project_id, quarter, name, method, route, status, log, shard)
SETTINGS allow_nullable_key = 1, replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1, merge_selector_base = 10
;
-- States of visits: one with sign -1 takes back the one of the same version.
CREATE TABLE IF NOT EXISTS weir.visits_local (
    project_id   LowCardinality(String),
    device_id    String CODEC(ZSTD(1)),
    session_id   String CODEC(ZSTD(1)),
    profile_id   String CODEC(ZSTD(1)),
    start_at     DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    end_at       DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    entry        String CODEC(ZSTD(1)),
    exit         String CODEC(ZSTD(1)),
    entry_at     Nullable(DateTime64(6, 'UTC')) CODEC(ZSTD(1)), -- NULL without a screen view
    exit_at      Nullable(DateTime64(6, 'UTC')) CODEC(ZSTD(1)), -- NULL without a screen view
    events       Int64 CODEC(T64, ZSTD(1)),
    screen_views Int64 CODEC(T64, ZSTD(1)),
    interactive  Int64 CODEC(T64, ZSTD(1)),
    calls        Int64 CODEC(T64, ZSTD(1)),
    revenue      Float64 CODEC(ZSTD(1)),
    ended        Bool,
    bot          Bool,
    referrer     LowCardinality(String),
    channel      LowCardinality(String),
    utm_source   LowCardinality(String),
    utm_medium   LowCardinality(String),
    utm_campaign LowCardinality(String),
    country      LowCardinality(String),
    region       LowCardinality(String),
    city         LowCardinality(String),
    browser      LowCardinality(String),
    os           LowCardinality(String),
    device_type  LowCardinality(String),
    language     LowCardinality(String),
    sign         Int8,
    version      UInt32 CODEC(T64, ZSTD(1))
) ENGINE = ReplicatedVersionedCollapsingMergeTree('/clickhouse/tables/{shard}/weir/visits', '{replica}', sign, version)
PARTITION BY toYYYYMM(start_at)
ORDER BY (project_id, toDate(start_at), device_id, session_id, start_at)

SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1, merge_selector_base = 10
;
-- Reserved for the traits of identified users.
CREATE TABLE IF NOT EXISTS weir.profiles_local (
    project_id LowCardinality(String),
    profile_id String,
    changed_at DateTime64(6, 'UTC'),
    traits     String CODEC(ZSTD(1)) -- a JSON object
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/weir/profiles', '{replica}')
ORDER BY (project_id, profile_id, changed_at)
SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1, merge_selector_base = 10
;
-- Said as often as it was sent; the earliest link of a device counts.
CREATE TABLE IF NOT EXISTS weir.identities_local (
    project_id LowCardinality(String),
    device_id  String CODEC(ZSTD(1)),
    profile_id String CODEC(ZSTD(1)),
    linked_at  DateTime64(6, 'UTC') CODEC(ZSTD(1))
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/weir/identities', '{replica}')
ORDER BY (project_id, device_id, linked_at, profile_id)
SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1, merge_selector_base = 10
;
CREATE TABLE IF NOT EXISTS weir.dead_letters_local (
    project_id String,
    shard      Int32,
    seq        UInt64,
    reason     String,
    event      String CODEC(ZSTD(1)), -- as JSON, as it came
    refused_at DateTime64(6, 'UTC'),
    log        LowCardinality(String)
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/weir/dead_letters', '{replica}')
ORDER BY (project_id, refused_at)
SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1, merge_selector_base = 10
;
-- The batches that are in, whole: written last.
CREATE TABLE IF NOT EXISTS weir.batches_local (
    token      String,
    shard      Int32,
    first_seq  UInt64,
    last_seq   UInt64,
    written_at DateTime64(6, 'UTC')
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/weir/batches', '{replica}')
ORDER BY token
TTL toDateTime(written_at) + INTERVAL 7 DAY
SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1, merge_selector_base = 10
;
CREATE TABLE IF NOT EXISTS weir.events AS weir.events_local ENGINE = Distributed('main', 'weir', 'events_local', cityHash64(project_id, device_id))
;
CREATE TABLE IF NOT EXISTS weir.sightings AS weir.sightings_local ENGINE = Distributed('main', 'weir', 'sightings_local', cityHash64(project_id, person))
;
CREATE TABLE IF NOT EXISTS weir.tallies AS weir.tallies_local ENGINE = Distributed('main', 'weir', 'tallies_local', cityHash64(name))
;
CREATE TABLE IF NOT EXISTS weir.visits AS weir.visits_local ENGINE = Distributed('main', 'weir', 'visits_local', cityHash64(project_id, device_id))
;
CREATE TABLE IF NOT EXISTS weir.profiles AS weir.profiles_local ENGINE = Distributed('main', 'weir', 'profiles_local', cityHash64(project_id, profile_id))
;
CREATE TABLE IF NOT EXISTS weir.identities AS weir.identities_local ENGINE = Distributed('main', 'weir', 'identities_local', cityHash64(project_id, device_id))
;
CREATE TABLE IF NOT EXISTS weir.dead_letters AS weir.dead_letters_local ENGINE = Distributed('main', 'weir', 'dead_letters_local', seq)
;
CREATE TABLE IF NOT EXISTS weir.batches AS weir.batches_local ENGINE = Distributed('main', 'weir', 'batches_local', cityHash64(token))

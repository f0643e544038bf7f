CREATE TABLE IF NOT EXISTS weir.events_local (
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/weir/events', '{replica}')
PARTITION BY toYYYYMM(ts)
ORDER BY (project_id, toDate(ts), name, device_id, ts)
SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1, merge_selector_base = 10
;
CREATE TABLE IF NOT EXISTS weir.sightings_local (
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/weir/sightings', '{replica}')
PARTITION BY toYYYYMM(fromUnixTimestamp64Second(toInt64(quarter) * 900, 'UTC'))
ORDER BY (project_id, quarter, person)
SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1, merge_selector_base = 10
;
CREATE TABLE IF NOT EXISTS weir.tallies_local (
) ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{shard}/weir/tallies', '{replica}')
PARTITION BY toYYYYMM(fromUnixTimestamp64Second(toInt64(quarter) * 900, 'UTC'))
ORDER BY (project_id, quarter, name, method, route, status, log, shard)
SETTINGS allow_nullable_key = 1, replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1, merge_selector_base = 10
;
CREATE TABLE IF NOT EXISTS weir.visits_local (
) ENGINE = ReplicatedVersionedCollapsingMergeTree('/clickhouse/tables/{shard}/weir/visits', '{replica}', sign, version)
PARTITION BY toYYYYMM(start_at)
ORDER BY (project_id, toDate(start_at), device_id, session_id, start_at)
SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1, merge_selector_base = 10
;
CREATE TABLE IF NOT EXISTS weir.profiles_local (
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/weir/profiles', '{replica}')
ORDER BY (project_id, profile_id, changed_at)
SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1, merge_selector_base = 10
;
CREATE TABLE IF NOT EXISTS weir.identities_local (
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/weir/identities', '{replica}')
ORDER BY (project_id, device_id, linked_at, profile_id)
SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1, merge_selector_base = 10
;
CREATE TABLE IF NOT EXISTS weir.dead_letters_local (
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/weir/dead_letters', '{replica}')
ORDER BY (project_id, refused_at)
SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1, merge_selector_base = 10
;
CREATE TABLE IF NOT EXISTS weir.batches_local (
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

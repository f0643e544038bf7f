CREATE TABLE IF NOT EXISTS weir.events (
) ENGINE = MergeTree
PARTITION BY toYYYYMM(ts)
ORDER BY (project_id, toDate(ts), name, device_id, ts)
TTL toDateTime(ts) + INTERVAL 90 DAY TO VOLUME 'cold'
SETTINGS non_replicated_deduplication_window = 10000, storage_policy = 'tiered', merge_selector_base = 10
;
CREATE TABLE IF NOT EXISTS weir.sightings (
) ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(fromUnixTimestamp64Second(toInt64(quarter) * 900, 'UTC'))
ORDER BY (project_id, quarter, person)
SETTINGS non_replicated_deduplication_window = 10000, storage_policy = 'tiered', merge_selector_base = 10
;
CREATE TABLE IF NOT EXISTS weir.tallies (
) ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(fromUnixTimestamp64Second(toInt64(quarter) * 900, 'UTC'))
ORDER BY (project_id, quarter, name, method, route, status, log, shard)
SETTINGS allow_nullable_key = 1, non_replicated_deduplication_window = 10000, storage_policy = 'tiered', merge_selector_base = 10
;
CREATE TABLE IF NOT EXISTS weir.visits (
) ENGINE = VersionedCollapsingMergeTree(sign, version)
PARTITION BY toYYYYMM(start_at)
ORDER BY (project_id, toDate(start_at), device_id, session_id, start_at)
TTL toDateTime(start_at) + INTERVAL 90 DAY TO VOLUME 'cold'
SETTINGS non_replicated_deduplication_window = 10000, storage_policy = 'tiered', merge_selector_base = 10
;
CREATE TABLE IF NOT EXISTS weir.profiles (
) ENGINE = ReplacingMergeTree
ORDER BY (project_id, profile_id, changed_at)
SETTINGS non_replicated_deduplication_window = 10000, storage_policy = 'tiered', merge_selector_base = 10
;
CREATE TABLE IF NOT EXISTS weir.identities (
) ENGINE = ReplacingMergeTree
ORDER BY (project_id, device_id, linked_at, profile_id)
SETTINGS non_replicated_deduplication_window = 10000, storage_policy = 'tiered', merge_selector_base = 10
;
CREATE TABLE IF NOT EXISTS weir.dead_letters (
) ENGINE = MergeTree
ORDER BY (project_id, refused_at)
SETTINGS non_replicated_deduplication_window = 10000, storage_policy = 'tiered', merge_selector_base = 10
;
CREATE TABLE IF NOT EXISTS weir.batches (
) ENGINE = MergeTree
ORDER BY token
TTL toDateTime(written_at) + INTERVAL 7 DAY
SETTINGS non_replicated_deduplication_window = 10000, storage_policy = 'tiered', merge_selector_base = 10

-- Former ids of profiles. Each stands in identities too, as a device of that name.
CREATE TABLE IF NOT EXISTS {{local "aliases"}} (
    project_id LowCardinality(String),
    alias      String CODEC(ZSTD(1)),
    profile_id String CODEC(ZSTD(1)),
    linked_at  DateTime64(6, 'UTC') CODEC(ZSTD(1))
) ENGINE = {{engine "ReplacingMergeTree" "aliases"}}
ORDER BY (project_id, alias, linked_at, profile_id)
SETTINGS {{settings}}
;

{{distributed "aliases" "cityHash64(project_id, alias)"}}
;

-- Who was identified without a device stands in identities from now on, and those of before: of their traits only this is
-- known when their events are no longer kept. It is a set, so several servers may find the same.
INSERT INTO {{global "identities"}} (project_id, device_id, profile_id, linked_at) SETTINGS insert_distributed_sync = 1
SELECT project_id, '' AS device, profile_id, min(at) AS first FROM (
    SELECT project_id, profile_id, ts AS at FROM {{local "events"}} WHERE name = 'identify' AND profile_id != '' AND device_id = ''
    UNION ALL SELECT project_id, profile_id, changed_at AS at FROM {{local "traits"}}
) GROUP BY project_id, profile_id
;

-- What identify events ask of profiles' traits, a row a change. Rows of one place are one.
CREATE TABLE IF NOT EXISTS {{local "traits"}} (
    project_id LowCardinality(String),
    trait      LowCardinality(String),
    profile_id String CODEC(ZSTD(1)),
    place      String CODEC(ZSTD(1)),
    changed_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    op         LowCardinality(String),
    text       String CODEC(ZSTD(1)),
    quoted     Bool,
    micros     Nullable(Int64) CODEC(ZSTD(1)),
    INDEX by_profile profile_id TYPE bloom_filter GRANULARITY 1
) ENGINE = {{engine "ReplacingMergeTree" "traits"}}
ORDER BY (project_id, trait, profile_id, place)
SETTINGS {{settings}}
;

-- Who was erased, and when.
CREATE TABLE IF NOT EXISTS {{local "erasures"}} (
    project_id LowCardinality(String),
    person     String CODEC(ZSTD(1)),
    erased_at  DateTime64(6, 'UTC'),
    erased_by  String
) ENGINE = {{engine "ReplacingMergeTree" "erasures"}}
ORDER BY (project_id, person, erased_at)
SETTINGS {{settings}}
;

{{distributed "traits" "cityHash64(project_id, profile_id)"}}
;
{{distributed "erasures" "cityHash64(project_id, person)"}}
;

-- No version has written to what was reserved for them.
DROP TABLE IF EXISTS {{global "profiles"}}
;
DROP TABLE IF EXISTS {{local "profiles"}}
;

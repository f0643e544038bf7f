-- Former ids of profiles. Each stands in identities too, as a device of that name.
CREATE TABLE aliases (
    project_id VARCHAR   NOT NULL,
    alias      VARCHAR   NOT NULL,
    profile_id VARCHAR   NOT NULL,
    linked_at  TIMESTAMP NOT NULL
);

-- Who was identified without a device stands in identities from now on, and those of
-- before: of their traits only this is known when their events are no longer kept.
INSERT INTO identities
SELECT project_id, '', profile_id, min(first) FROM (
    SELECT project_id, profile_id, ts AS first FROM events WHERE name = 'identify' AND profile_id <> '' AND device_id = ''
    UNION ALL SELECT project_id, profile_id, changed_at FROM traits
) AS identified GROUP BY project_id, profile_id;

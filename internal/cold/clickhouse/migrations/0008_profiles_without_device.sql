-- Profiles that events without a device name stand in identities from now on, and those of before:
-- one that was never identified may be the id of a device. It is a set, so several servers may find the same.
INSERT INTO {{global "identities"}} (project_id, device_id, profile_id, linked_at, received_at) SETTINGS insert_distributed_sync = 1
SELECT project_id, profile_id, '' AS nobody, min(ts), min(received_at) FROM {{local "events"}}
WHERE profile_id != '' AND device_id = '' AND name != 'identify'
GROUP BY project_id, profile_id
;

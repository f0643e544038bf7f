-- Profiles that events without a device name stand in identities from now on, and those of before:
-- one that was never identified may be the id of a device.
INSERT INTO identities (project_id, device_id, profile_id, linked_at, received_at)
SELECT project_id, profile_id, '', min(ts), min(received_at) FROM events
WHERE profile_id <> '' AND device_id = '' AND name <> 'identify'
GROUP BY project_id, profile_id;

-- When what says so was received: NULL on rows of before, which are older than any
-- erasure from now on.
ALTER TABLE visits ADD COLUMN received_at TIMESTAMP;
ALTER TABLE visits ADD COLUMN beside VARCHAR; -- who else is in the visit, see weir.Beside
ALTER TABLE identities ADD COLUMN received_at TIMESTAMP;
ALTER TABLE aliases ADD COLUMN received_at TIMESTAMP;
ALTER TABLE traits ADD COLUMN received_at TIMESTAMP;

-- After an erasure a device that went on under the same profile was not linked to it.
INSERT INTO identities (project_id, device_id, profile_id, linked_at, received_at)
SELECT project_id, device_id, profile_id, min(ts), min(received_at) FROM events
WHERE project_id IN (SELECT project_id FROM erasures) AND profile_id <> '' AND device_id <> ''
GROUP BY project_id, device_id, profile_id;

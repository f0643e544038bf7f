-- After all servers of a cluster have the column.
ALTER TABLE {{global "visits"}} ADD COLUMN IF NOT EXISTS received_at Nullable(DateTime64(6, 'UTC'))
;
ALTER TABLE {{global "visits"}} ADD COLUMN IF NOT EXISTS beside String
;
ALTER TABLE {{global "identities"}} ADD COLUMN IF NOT EXISTS received_at Nullable(DateTime64(6, 'UTC'))
;
ALTER TABLE {{global "aliases"}} ADD COLUMN IF NOT EXISTS received_at Nullable(DateTime64(6, 'UTC'))
;
ALTER TABLE {{global "traits"}} ADD COLUMN IF NOT EXISTS received_at Nullable(DateTime64(6, 'UTC'))
;

-- After an erasure a device that went on under the same profile was not linked to it.
INSERT INTO {{global "identities"}} (project_id, device_id, profile_id, linked_at, received_at) SETTINGS insert_distributed_sync = 1
SELECT project_id, device_id, profile_id, min(ts), min(received_at) FROM {{local "events"}}
WHERE project_id IN (SELECT project_id FROM {{local "erasures"}}) AND profile_id != '' AND device_id != ''
GROUP BY project_id, device_id, profile_id
;

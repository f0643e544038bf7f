#!lua flags=allow-oom
-- KEYS shard
-- ARGV log's id, owner, epoch, intent
-- Returns 'ok' or 'fenced'.
local m = redis.call('HMGET', KEYS[1], 'id', 'owner', 'epoch')
if m[1] ~= ARGV[1] then
  return redis.error_reply('LOST the shard is not the one that was opened')
end
-- The owner too: after a failover the same epoch may have been given twice.
if m[2] ~= ARGV[2] or m[3] ~= ARGV[3] then return 'fenced' end
redis.call('HSET', KEYS[1], 'intent', ARGV[4])
return 'ok'

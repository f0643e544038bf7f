#!lua flags=allow-oom
-- KEYS shard
-- ARGV log's id, owner, epoch, first, intent
-- Returns 'ok', 'fenced', or 'gap' when the range does not follow the last commit.
local m = redis.call('HMGET', KEYS[1], 'id', 'owner', 'epoch', 'committed')
if m[1] ~= ARGV[1] then
  return redis.error_reply('LOST the shard is not the one that was opened')
end
-- The owner too: after a failover the same epoch may have been given twice.
if m[2] ~= ARGV[2] or m[3] ~= ARGV[3] then return 'fenced' end
if tonumber(ARGV[4]) ~= m[4] + 1 then return 'gap' end
redis.call('HSET', KEYS[1], 'intent', ARGV[5])
return 'ok'

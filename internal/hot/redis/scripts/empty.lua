#!lua flags=allow-oom
-- Deletes buckets, and notes the id of the recount that they are deleted for.
-- KEYS shard, step; for each bucket its index, counts, members, uniques
-- ARGV log's id, the recount's id, seconds to keep it; for each bucket its start
-- Returns the shard's head.
local call = redis.call
if call('HGET', KEYS[1], 'id') ~= ARGV[1] then
  return redis.error_reply('LOST the shard is not the one that was opened')
end
call('HSET', KEYS[2], 'id', ARGV[2], 'number', 0)
call('EXPIRE', KEYS[2], ARGV[3])
call('HINCRBY', KEYS[1], 'cleared', 1) -- see scripts/uniques.lua
local k = 3
for i = 4, #ARGV do
  call('ZREM', KEYS[k], ARGV[i])
  call('UNLINK', KEYS[k + 1], KEYS[k + 2], KEYS[k + 3])
  k = k + 4
end
return call('HGET', KEYS[1], 'head')

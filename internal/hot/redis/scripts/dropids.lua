#!lua flags=allow-oom
-- Deletes ids.
-- KEYS shard; for each id its set
-- ARGV log's id; the ids
if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then
  return redis.error_reply('LOST the shard is not the one that was opened')
end
for i = 2, #KEYS do redis.call('SREM', KEYS[i], ARGV[i]) end
return 1

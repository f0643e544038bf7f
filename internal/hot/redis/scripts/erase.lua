#!lua flags=allow-oom
-- Takes members out of a bucket. Their slots stay, with a count of 0 and a name that is no member's, so that other members
-- keep theirs. The digest is that of the names that are there now, see slots.go.
-- KEYS shard, counts, members
-- ARGV log's id, a random number for the stamp, members
local call, counts, members = redis.call, KEYS[2], KEYS[3]
if call('HGET', KEYS[1], 'id') ~= ARGV[1] then
  return redis.error_reply('LOST the shard is not the one that was opened')
end
if call('EXISTS', counts) == 0 then return 0 end
local gone = 0
for i = 3, #ARGV do
  local slot = call('ZSCORE', members, ARGV[i])
  if slot then
    call('ZADD', members, slot, string.sub(ARGV[i], 1, 1) .. '\0' .. slot) -- first: an empty set loses its expiry
    call('ZREM', members, ARGV[i])
    call('BITFIELD', counts, 'SET', 'i64', '#' .. slot, 0)
    gone = gone + 1
  end
end
if gone == 0 then return 0 end
local digest = 0
for _, m in ipairs(call('ZRANGE', members, 0, -1)) do
  digest = tonumber(string.sub(redis.sha1hex(string.format('%.0f', digest) .. m), 1, 13), 16)
end
call('BITFIELD', counts, 'SET', 'i64', '#16', string.format('%.0f', digest), 'INCRBY', 'i64', '#17', ARGV[2])
return gone

#!lua flags=allow-oom
-- Makes sketches empty, or adds devices to them. A bucket without counts is skipped.
-- KEYS shard; for each bucket its counts and uniques
-- ARGV log's id, 1 to make them empty; for each bucket: number of devices, the devices
local call = redis.call
if call('HGET', KEYS[1], 'id') ~= ARGV[1] then
  return redis.error_reply('LOST the shard is not the one that was opened')
end
local clear, a = ARGV[2] == '1', 3
-- Writers leave out devices that they have sent before, until they see this number.
if clear then call('HINCRBY', KEYS[1], 'cleared', 1) end
for k = 2, #KEYS, 2 do
  local counts, uniques, n = KEYS[k], KEYS[k + 1], tonumber(ARGV[a])
  local ttl = call('TTL', counts)
  if ttl ~= -2 then
    if clear then call('UNLINK', uniques) end
    local new = call('EXISTS', uniques) == 0
    if new then call('PFADD', uniques) end
    for i = a + 1, a + n, 1000 do
      call('PFADD', uniques, unpack(ARGV, i, math.min(i + 999, a + n)))
    end
    if new and ttl >= 0 then call('EXPIRE', uniques, ttl) end
  end
  a = a + 1 + n
end
return 1

#!lua flags=allow-oom
-- Leases, by the clock of Redis unless the caller brings one.
-- KEYS shard
-- ARGV log's id, now in µs (0: ask Redis), what to do (claim, renew, release), owner, epoch (but of a claim), time to live in µs
-- Returns {'ok', epoch} or {'held'} or {'fenced'}.
local call, shard = redis.call, KEYS[1]
local now = tonumber(ARGV[2])
if now == 0 then
  local t = call('TIME')
  now = t[1] * 1000000 + t[2]
end
local m = call('HMGET', shard, 'id', 'epoch', 'owner', 'until')
if m[1] ~= ARGV[1] then
  return redis.error_reply('LOST the shard is not the one that was opened')
end
local what, owner, epoch, ends = ARGV[3], ARGV[4], ARGV[5], string.format('%.0f', now + ARGV[6])
if what == 'claim' then
  if m[3] ~= owner and tonumber(m[4]) > now then return {'held'} end
  epoch = string.format('%.0f', call('HINCRBY', shard, 'epoch', 1))
  call('HSET', shard, 'owner', owner, 'until', ends)
elseif m[2] ~= epoch or m[3] ~= owner then
  return {'fenced'}
elseif what == 'renew' then
  call('HSET', shard, 'until', ends)
else
  call('HSET', shard, 'owner', '', 'until', 0)
end
return {'ok', epoch}

#!lua flags=allow-oom
-- Moves the shard on, in one step: state, committed seq, log, intent. It may when memory is full: it makes room.
-- KEYS shard, log, state
-- ARGV log's id, owner, epoch, first, last, number of entries to set, keys and values in turn, keys to delete
-- Returns 'ok', 'fenced', or 'gap' when the range does not follow the last commit.
local call, shard, log, state = redis.call, KEYS[1], KEYS[2], KEYS[3]
local m = call('HMGET', shard, 'id', 'owner', 'epoch', 'committed', 'head')
if m[1] ~= ARGV[1] then
  return redis.error_reply('LOST the shard is not the one that was opened')
end
if m[2] ~= ARGV[2] or m[3] ~= ARGV[3] then return 'fenced' end
local first, last = tonumber(ARGV[4]), tonumber(ARGV[5])
if first ~= m[4] + 1 or last > tonumber(m[5]) or last < first - 1 then return 'gap' end
-- A list is unpacked onto Lua's stack, which holds some thousands.
local function each(command, from, to)
  for i = from, to, 1000 do
    call(command, state, unpack(ARGV, i, math.min(i + 999, to)))
  end
end
local set = 6 + 2 * ARGV[6]
each('HSET', 7, set)
each('HDEL', set + 1, #ARGV)
if last >= first then
  call('XTRIM', log, 'MINID', string.format('%.0f-0', last + 1))
  call('HSET', shard, 'committed', ARGV[5])
end
call('HDEL', shard, 'intent')
return 'ok'

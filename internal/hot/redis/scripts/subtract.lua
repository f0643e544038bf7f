#!lua flags=allow-oom
-- Subtracts from counts, at most what is there, and notes the step. See scripts/append.lua for the slots of counts.
-- KEYS shard, step; for each bucket its counts and members
-- ARGV log's id, the step's correction and number, seconds to keep it, number of buckets; for each bucket: a random number for the
--      stamp, number of slots, the slots and how much of each in turn, number of members, the members, how much of each
-- Returns 1, or 0 when the step is noted already.
local call, step = redis.call, KEYS[2]
if call('HGET', KEYS[1], 'id') ~= ARGV[1] then
  return redis.error_reply('LOST the shard is not the one that was opened')
end
local noted = call('HMGET', step, 'id', 'number')
if noted[1] == ARGV[2] and tonumber(noted[2]) >= tonumber(ARGV[3]) then return 0 end
call('HSET', step, 'id', ARGV[2], 'number', ARGV[3])
call('EXPIRE', step, ARGV[4])

local open = {[110] = 1, [114] = 2, [102] = 3, [99] = 4} -- name, route, failed, consumer
local function subtract(counts, members, stamp, slots, nslots, first, n)
  local text, left = call('GETRANGE', counts, 0, -1), {}
  local function take(slot, much)
    local at = slot * 8 + 1
    local has = left[slot] or (#text >= at + 7 and struct.unpack('>i8', text, at)) or 0
    local taken = math.min(has, much)
    left[slot] = has - taken
    return much - taken
  end
  for i = slots, slots + 2 * nslots - 2, 2 do
    take(tonumber(ARGV[i]), tonumber(ARGV[i + 1]))
  end
  for from = first, first + n - 1, 1000 do
    local to = math.min(from + 999, first + n - 1)
    local of = call('ZMSCORE', members, unpack(ARGV, from, to))
    for i = from, to do
      local much, slot = tonumber(ARGV[i + n]), of[i - from + 1]
      if slot then much = take(tonumber(slot), much) end
      if much > 0 then take(7 + open[string.byte(ARGV[i])], much) end -- what is beyond the cap
    end
  end
  local set = {'INCRBY', 'i64', '#17', stamp}
  for slot, value in pairs(left) do
    if #text >= slot * 8 + 8 then
      local w = #set
      set[w + 1], set[w + 2], set[w + 3], set[w + 4] = 'SET', 'i64', '#' .. slot, string.format('%.0f', value)
    end
  end
  for i = 1, #set, 4000 do
    call('BITFIELD', counts, unpack(set, i, math.min(i + 3999, #set)))
  end
end

local a, k = 6, 2
for _ = 1, tonumber(ARGV[5]) do
  local nslots = tonumber(ARGV[a + 1])
  local first = a + 2 + 2 * nslots
  local n = tonumber(ARGV[first])
  if call('EXISTS', KEYS[k + 1]) == 1 then -- else its time is over
    subtract(KEYS[k + 1], KEYS[k + 2], ARGV[a], a + 2, nslots, first + 1, n)
  end
  a, k = first + 1 + 2 * n, k + 2
end
return 1

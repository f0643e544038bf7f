#!lua
-- Appends a group of events of one shard: all of it, or, when ids are known already, none of it. No id is there twice.
-- Without ids it is a step of a recount (hot.Corrector.Refill), and adds to buckets alone.
--
-- KEYS shard, log, then in this order: for each id its set in this generation; for those ids that may be in the generation
--      before, their sets in that; without ids the key of the project's last step; for each project its live set; for each bucket its index, counts, members, uniques.
-- ARGV log's id, now in µs (0: ask Redis), window in µs, generation, its bits, bits of the one before (0: it has none), how often
--      sketches were cleared; number of ids, number of those that may be in the generation before, index of the last argument before the lists;
--      the ids; which of them may be, from 0; without ids the step's recount and number; the sections below; the lists. A section names
--      a list by "from to", counted from the first of the lists; "0 0" is an empty one.
-- Returns {'ok', head}, {'fenced'} if another correction was noted, {'known', index…} with indexes of ids from 0, {'stale', generation, bits, bits before, cleared} if the
-- caller has older ones.
local call = redis.call
local shard, log = KEYS[1], KEYS[2]
local now, window = tonumber(ARGV[2]), tonumber(ARGV[3])
if now == 0 then
  local t = call('TIME')
  now = t[1] * 1000000 + t[2]
end

local m = call('HMGET', shard, 'id', 'head', 'gen', 'bits', 'before', 'began', 'since', 'turned', 'cleared')
if m[1] ~= ARGV[1] then
  return redis.error_reply('LOST the shard is not the one that was opened')
end
local head, gen, bits, before = tonumber(m[2]), tonumber(m[3]), tonumber(m[4]), tonumber(m[5])

-- Ids live in generations as long as the window. The clock of Redis turns them, one at a time and never back, so that after
-- a jump of it those of the generation before are still known. A clock that was set back begins the time of the current one
-- anew (since); when it is set right again, none turns within a window of the last turn.
local since = tonumber(m[7]) or gen * window
local turned = tonumber(m[8]) or since
if now < since then
  since = now
  call('HSET', shard, 'since', string.format('%.0f', since))
end
if now - since >= window and (now < turned or now - turned >= window) then
  local ids = head - tonumber(m[6])
  -- What nobody asks any more is noted, for a sweep to delete.
  if before > 0 then call('HSET', shard, 'old:' .. gen - 1, before) end
  before = 0
  if ids > 0 then before = bits end
  -- As many sets as keep about 128 ids in each, were the next generation as large as this one. It may be larger: from
  -- 512 ids on a set costs many times as much. So after the quietest day there is room for four million, and else for four times as many.
  if ids > 0 then
    bits = 13
    while bits < 20 and ids > 128 * 2 ^ bits do bits = bits + 1 end
  end
  since = now
  if gen == 0 then -- a new log
    gen = math.floor(now / window)
    since = gen * window
  else
    gen = gen + 1
  end
  since = string.format('%.0f', since)
  call('HSET', shard, 'gen', gen, 'bits', bits, 'before', before, 'began', m[2], 'since', since, 'turned', since)
end
-- A caller leaves out devices that it has sent before. If a sketch was cleared since, they are missing in it.
local cleared = tonumber(m[9]) or 0
if gen ~= tonumber(ARGV[4]) or bits ~= tonumber(ARGV[5]) or before ~= tonumber(ARGV[6]) or cleared ~= tonumber(ARGV[7]) then
  return {'stale', gen, bits, before, cleared}
end

local n, asked, lists, a, k = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10]), 10, 2
local known
for j = 1, asked do
  local i = ARGV[a + n + j]
  if call('SISMEMBER', KEYS[k + n + j], ARGV[a + i + 1]) == 1 then
    known = known or {'known'}
    known[#known + 1] = tonumber(i)
  end
end
if not known then
  for i = 1, n do
    if call('SADD', KEYS[k + i], ARGV[a + i]) == 0 then
      known = known or {'known'}
      known[#known + 1] = i - 1
    end
  end
  if known then -- take back what was added: not those that were there
    local j = 2
    for i = 1, n do
      if known[j] == i - 1 then
        j = j + 1
      else
        call('SREM', KEYS[k + i], ARGV[a + i])
      end
    end
  end
end
if known then
  -- A write, so that whoever waits for replicas waits for the events that these ids came with too.
  call('HINCRBY', shard, 'known', #known - 1)
  return known
end
a, k = a + n + asked, k + n + asked

if n == 0 then
  local noted = call('HMGET', KEYS[k + 1], 'id', 'number')
  if noted[1] ~= ARGV[a + 1] then return {'fenced'} end
  if tonumber(noted[2]) >= tonumber(ARGV[a + 2]) then return {'ok', head} end
  call('HSET', KEYS[k + 1], 'number', ARGV[a + 2])
  a, k = a + 2, k + 1
end

-- Projects: count, records (one chunk; its place in the stream is its last seq), from, to (times and live devices in turn),
-- the time that is too old.
local crowd = 100000 -- live devices of a project in a shard
local projects = tonumber(ARGV[a + 1])
a = a + 1
for _ = 1, projects do
  local count, live = ARGV[a + 1], KEYS[k + 1]
  if count ~= '0' then -- a crowd of bots has live devices alone
    head = head + count
    call('XADD', log, string.format('%.0f-%s', head, count), 'r', ARGV[a + 2])
  end
  if ARGV[a + 3] ~= '0' then
    call('ZREMRANGEBYSCORE', live, '-inf', ARGV[a + 5])
    -- Device ids may be invented: where there are many, only those that are known go on being live.
    local known = call('ZCOUNT', live, '-inf', '+inf') >= crowd
    if known then
      call('ZADD', live, 'XX', 'GT', unpack(ARGV, lists + ARGV[a + 3], lists + ARGV[a + 4]))
    else
      call('ZADD', live, 'GT', unpack(ARGV, lists + ARGV[a + 3], lists + ARGV[a + 4]))
    end
    call('EXPIRE', live, 7200)
  end
  a, k = a + 5, k + 1
end
call('HSET', shard, 'head', string.format('%.0f', head))

-- Adds to a bucket's counts. Their slots are those of slots.go: 8 to 11 count beyond the cap, 12 to 15 say how many
-- members a dimension has, 16 is their digest: of the one before in decimals and the member, 52 bits; members stand from
-- 18 on. The fixed list is of words for BITFIELD; the other of n members, then of their n counts. A call costs more than a
-- word: so all goes into one, some thousand words at a time. Returns whether the bucket is new.
local open = {[110] = 1, [114] = 2, [102] = 3, [99] = 4} -- name, route, failed, consumer
local function add(counts, members, fixed, words, from, n, max, ttl)
  local set, size, next, digest = {unpack(ARGV, fixed, fixed + words - 1)}, nil, nil, nil
  local w = words
  for first = from, from + n - 1, 1000 do
    local last, new = math.min(first + 999, from + n - 1), {}
    local slots = call('ZMSCORE', members, unpack(ARGV, first, last))
    for i = first, last do
      local slot = slots[i - first + 1]
      if not slot then
        if not size then
          size = call('BITFIELD', counts, 'GET', 'i64', '#12', 'GET', 'i64', '#13', 'GET', 'i64', '#14', 'GET', 'i64', '#15', 'GET', 'i64', '#16')
          next, digest = 18 + size[1] + size[2] + size[3] + size[4], size[5]
        end
        local d = open[string.byte(ARGV[i])]
        if size[d] < max then
          slot, next, size[d] = next, next + 1, size[d] + 1
          new[#new + 1] = slot
          new[#new + 1] = ARGV[i]
          digest = tonumber(string.sub(redis.sha1hex(string.format('%.0f', digest) .. ARGV[i]), 1, 13), 16)
          set[w + 1], set[w + 2], set[w + 3], set[w + 4] = 'INCRBY', 'i64', '#' .. 11 + d, 1
          w = w + 4
        else
          slot = 7 + d
        end
      end
      set[w + 1], set[w + 2], set[w + 3], set[w + 4] = 'INCRBY', 'i64', '#' .. slot, ARGV[i + n]
      w = w + 4
    end
    if new[1] then
      call('ZADD', members, unpack(new))
      if new[1] == 18 then call('EXPIRE', members, ttl) end
    end
  end
  if digest then
    set[w + 1], set[w + 2], set[w + 3], set[w + 4] = 'SET', 'i64', '#16', string.format('%.0f', digest)
    w = w + 4
  end
  local total = call('BITFIELD', counts, unpack(set, 1, math.min(w, 4000)))[1]
  for i = 4001, w, 4000 do
    call('BITFIELD', counts, unpack(set, i, math.min(i + 3999, w)))
  end
  local new = total == tonumber(set[4])
  if new then call('EXPIRE', counts, ttl) end
  return new
end

-- Buckets: start, seconds to keep, how many buckets of the grain the index names at most, members at most, then the lists of fixed slots, devices and
-- members, each by its first and its length. The total is in every bucket: where it is new, the bucket is.
local buckets = tonumber(ARGV[a + 1])
a = a + 1
for _ = 1, buckets do
  local ttl = ARGV[a + 2]
  if add(KEYS[k + 2], KEYS[k + 3], lists + ARGV[a + 5], tonumber(ARGV[a + 6]), lists + ARGV[a + 9], tonumber(ARGV[a + 10]), tonumber(ARGV[a + 4]), ttl) then
    call('PFADD', KEYS[k + 4])
    call('EXPIRE', KEYS[k + 4], ttl)
    call('ZADD', KEYS[k + 1], ARGV[a + 1], ARGV[a + 1])
    -- The oldest go by their number, not by a clock: one that jumps must not make Redis forget where counters are.
    local over = call('ZRANGE', KEYS[k + 1], -1 - ARGV[a + 3], -1 - ARGV[a + 3])[1]
    if over then call('ZREMRANGEBYSCORE', KEYS[k + 1], '-inf', over) end
    if call('TTL', KEYS[k + 1]) < tonumber(ttl) then call('EXPIRE', KEYS[k + 1], ttl) end
  end
  local devices = tonumber(ARGV[a + 8])
  if devices > 0 then
    local from = lists + ARGV[a + 7]
    call('PFADD', KEYS[k + 4], unpack(ARGV, from, from + devices - 1))
  end
  a, k = a + 10, k + 4
end
return {'ok', string.format('%.0f', head)}

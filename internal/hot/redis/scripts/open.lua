#!lua flags=allow-oom
-- Makes a hash with the fields given, unless it is there. Returns the whole of it.
-- KEYS the hash
-- ARGV fields and values in turn
if redis.call('EXISTS', KEYS[1]) == 0 and #ARGV > 0 then redis.call('HSET', KEYS[1], unpack(ARGV)) end
return redis.call('HGETALL', KEYS[1])

#!lua flags=allow-oom
-- Gives a hash's field a value, unless it has one or it is to be replaced. Returns the value that it had before, or false.
-- KEYS the hash
-- ARGV the field, the value, 1 to replace
local had = redis.call('HGET', KEYS[1], ARGV[1])
if not had or ARGV[3] == '1' then redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end
return had

#!lua flags=allow-oom
-- Refuses a subject's tokens issued at or before a moment; an earlier moment never replaces a later one.
-- Whoever is revoked is so at once, also when Redis is full.
-- KEYS    1 revoked
-- ARGV    1 field, 2 ms

local before = redis.call('HGET', KEYS[1], ARGV[1])
if before and tonumber(before) >= tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1

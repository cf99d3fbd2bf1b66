#!lua flags=allow-oom
-- Notes that a processor lives, forgets those that were silent, by the clock of Redis.
-- Small, and of the living only: a full Redis must not make the living count as dead.
-- KEYS    1 processors
-- ARGV    1 processor, 2 ms after which a silent one counts as gone
-- Result  ids of the living

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[2]))
return redis.call('ZRANGE', KEYS[1], 0, -1)

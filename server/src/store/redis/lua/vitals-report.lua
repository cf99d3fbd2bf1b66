#!lua flags=allow-oom
-- Notes how a process is, forgets those that were silent for long, and gives the watch to whoever asks while it is free.
-- By the clock of Redis. A report keeps the time of the process's first one.
-- Small, and of processes only: how a hub is must be known when Redis is full.
-- KEYS    1 sorted set: ids by the ms of their last report, 2 hash: id to `ms JSON` (ms of the first report), 3 the watch
-- ARGV    1 id, 2 JSON, 3 ms for which the watch is held, 4 ms after which a silent process is forgotten
-- Result  1 if it holds the watch or 0, ms now, number of others listed

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local gone = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[4]))
for _, id in ipairs(gone) do
  redis.call('ZREM', KEYS[1], id)
  redis.call('HDEL', KEYS[2], id)
end
local before = redis.call('HGET', KEYS[2], ARGV[1])
local first = before and string.match(before, '^%d+') or string.format('%.0f', now)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], first .. ' ' .. ARGV[2])
local holder = redis.call('GET', KEYS[3])
local watch = 0
if not holder or holder == ARGV[1] then
  redis.call('SET', KEYS[3], ARGV[1], 'PX', ARGV[3])
  watch = 1
end
return { watch, string.format('%.0f', now), redis.call('ZCARD', KEYS[1]) - 1 }

-- A process ends in order.
-- KEYS    1 sorted set: ids by the ms of their last report, 2 hash: id to `ms JSON`, 3 the watch
-- ARGV    1 id
-- Result  1

redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
if redis.call('GET', KEYS[3]) == ARGV[1] then redis.call('DEL', KEYS[3]) end
return 1

-- Takes a sink away.
-- KEYS    1 records, 2 progress, 3 standings
-- ARGV    1 field `project/id`
-- Result  1 taken away, 0 there was none

redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
return redis.call('HDEL', KEYS[3], ARGV[1])

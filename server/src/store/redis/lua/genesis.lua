-- Gives a partition that has no epoch its first one, once. After a flush it is another one, so that old cursors are known as lost (I2).
-- KEYS    1 epochs
-- ARGV    1 nonce of the epoch
-- Result  1 when it was new

if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('RPUSH', KEYS[1], ARGV[1] .. ' 0-0')
return 1

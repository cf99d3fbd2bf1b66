#!lua flags=allow-oom
-- Writes a session's record if its generation is current, or if there is none.
-- Small, and of connections only: subscribing goes on when Redis is full.
-- KEYS    1 session
-- ARGV    1 generation, 2 record, 3 ms to live
-- Result  1 written, 0 somebody restored the session since

local generation = redis.call('HGET', KEYS[1], 'gen')
if generation and generation ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'gen', ARGV[1], 'record', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1

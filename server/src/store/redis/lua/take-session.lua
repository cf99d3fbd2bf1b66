#!lua flags=allow-oom
-- Raises a session's generation: its older holder neither writes nor receives from here on.
-- Small, and of connections only: coming back goes on when Redis is full.
-- KEYS    1 session
-- ARGV    1 ms to live
-- Result  nil when there is none, else: new generation, record

local record = redis.call('HGET', KEYS[1], 'record')
if not record then return false end
local generation = redis.call('HINCRBY', KEYS[1], 'gen', 1)
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return { generation, record }

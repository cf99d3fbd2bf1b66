-- Removes a session if its generation is current.
-- KEYS    1 session
-- ARGV    1 generation
-- Result  1 removed, 0 not

if redis.call('HGET', KEYS[1], 'gen') ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])

-- Gives up a lease that is still the owner's.
-- KEYS    1 lease
-- ARGV    1 owner
-- Result  1 released, 0 not the owner's

if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])

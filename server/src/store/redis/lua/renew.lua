-- Renews a lease that is still the owner's.
-- KEYS    1 lease
-- ARGV    1 owner, 2 lease ms
-- Result  1 renewed, 0 not the owner's

if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])

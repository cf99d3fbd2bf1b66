-- Appends a dead letter's entry to its source stream again and removes the letter, in one step.
-- KEYS    1 dead letters, 2 source stream
-- ARGV    1 id of the letter, 2.. the entry's fields and values
-- Result  1 replayed, 0 no such letter

if #redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1]) == 0 then return 0 end
redis.call('XADD', KEYS[2], '*', unpack(ARGV, 2))
return redis.call('XDEL', KEYS[1], ARGV[1])

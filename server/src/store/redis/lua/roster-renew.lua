-- Renews the time to live of many groups.
-- KEYS    of each group: members, holders
-- ARGV    1 worker, 2 ms to live
-- Result  of each group the number of members that the worker holds

local counts = {}
for i = 1, #KEYS, 2 do
  table.insert(counts, tonumber(redis.call('HGET', KEYS[i + 1], ARGV[1]) or '0'))
  redis.call('PEXPIRE', KEYS[i], ARGV[2])
  redis.call('PEXPIRE', KEYS[i + 1], ARGV[2])
end
return counts

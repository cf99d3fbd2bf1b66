-- Renews the time to live of many sessions.
-- KEYS    sessions
-- ARGV    1 ms to live
-- Result  for each its generation, 0 when there is none

local generations = {}
for i, key in ipairs(KEYS) do
  generations[i] = tonumber(redis.call('HGET', key, 'gen') or '0')
  if generations[i] > 0 then redis.call('PEXPIRE', key, ARGV[1]) end
end
return generations

#!lua flags=allow-oom
-- Writes notes, if the process still holds the watch: one that was frozen meanwhile writes nothing over what its successor noted.
-- Small, and of alerts only: that Redis is full is one of them.
-- KEYS    1 the watch, 2 hash: notes
-- ARGV    1 id, then of each note: name, 1 or 0 (remove), text
-- Result  1, or 0 when the watch is not its own

if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
for i = 2, #ARGV, 3 do
  if ARGV[i + 1] == '1' then
    redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 2])
  else
    redis.call('HDEL', KEYS[2], ARGV[i])
  end
end
return 1

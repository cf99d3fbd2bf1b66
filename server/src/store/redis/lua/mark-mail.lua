#!lua flags=allow-oom
-- Moves the mark of an agent's mail on, never back; one of another epoch is replaced, for its offsets mean nothing beside these.
-- Small, and one an agent: what was handed over is remembered when Redis is full.
-- KEYS    1 mark
-- ARGV    1 epoch, 2 ms and 3 number of the offset, 4 ms to live
-- Result  1 moved, 0 it stands further already; either way it lives on

local stood = redis.call('GET', KEYS[1])
local epoch, ms, seq
if stood then epoch, ms, seq = string.match(stood, '^(.+)%.(%d+)-(%d+)$') end
if epoch == ARGV[1] then
  local ahead = tonumber(ms) - tonumber(ARGV[2])
  if ahead == 0 then ahead = tonumber(seq) - tonumber(ARGV[3]) end
  if ahead >= 0 then
    redis.call('PEXPIRE', KEYS[1], ARGV[4])
    return 0
  end
end
redis.call('SET', KEYS[1], ARGV[1] .. '.' .. ARGV[2] .. '-' .. ARGV[3], 'PX', ARGV[4])
return 1

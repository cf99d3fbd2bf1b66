#!lua flags=allow-oom
-- Trims what retention lets go and rotates the seen keys. Only for the owner: others change nothing.
-- It frees memory, so it runs when there is none.
-- KEYS    1 commit hash, 2 journal, 3 seen:a, 4 seen:b, 5..8 source streams
-- ARGV    1 fence, 2 age ms, 3 count, 4 bytes, 5 seen ms, 6 seen count
-- Result  1 done, 0 fenced

local commit, journal = KEYS[1], KEYS[2]
local state = redis.call('HMGET', commit, 'fence', 'bytes', 'seen', 'seenAt', 'agents', 'workflows', 'github', 'system')
if state[1] ~= ARGV[1] then return 0 end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local age, count, max_bytes = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local cutoff = string.format('%.0f', math.max(1, now - age))

-- The byte cap overrules. An entry knows the bytes up to and including itself, so the first one to stay is found by halving:
-- first its millisecond, then its place in that.
local excess = tonumber(state[2]) - max_bytes
local function stays(id)
  local entry = redis.call('XRANGE', journal, id, '+', 'COUNT', 1)[1]
  return not entry or tonumber(entry[2][8]) - #entry[2][2] >= excess
end
local function halve(low, high, id_at)
  while high - low > 1 do
    local middle = math.floor((low + high) / 2)
    if stays(id_at(middle)) then high = middle else low = middle end
  end
  return low, high
end
if not stays('-') then
  local first_ms = tonumber(string.match(redis.call('XRANGE', journal, '-', '+', 'COUNT', 1)[1][1], '^%d+'))
  local last_ms = tonumber(string.match(redis.call('XREVRANGE', journal, '+', '-', 'COUNT', 1)[1][1], '^%d+'))
  local ms = halve(first_ms, last_ms + 1, function(at) return string.format('%.0f-0', at) end)
  local stem = string.format('%.0f-', ms)
  local last_seq = tonumber(string.match(redis.call('XREVRANGE', journal, string.format('%.0f', ms), '-', 'COUNT', 1)[1][1], '%d+$'))
  local _, seq = halve(0, last_seq + 1, function(at) return stem .. string.format('%.0f', at) end)
  redis.call('XTRIM', journal, 'MINID', stem .. string.format('%.0f', seq))
end

-- What is older than the age and not among the last `count`: whole nodes at first (LIMIT 0 would mean no limit) ...
local function surplus()
  return redis.call('XLEN', journal) - count
end
local beyond = surplus()
if beyond > 0 then
  redis.call('XTRIM', journal, 'MINID', '~', cutoff, 'LIMIT', beyond)
  -- ... then exactly. What whole nodes leave over is at most a node; more than that is young.
  beyond = surplus()
  if beyond > 0 then
    local rest = redis.call('XRANGE', journal, '-', '(' .. cutoff .. '-0', 'COUNT', math.min(beyond, 200))
    if #rest > 0 then
      local ms, seq = string.match(rest[#rest][1], '^(%d+)-(%d+)$')
      redis.call('XTRIM', journal, 'MINID', ms .. '-' .. string.format('%.0f', tonumber(seq) + 1))
    end
  end
end

for i = 1, 4 do
  redis.call('XTRIM', KEYS[4 + i], 'MINID', state[4 + i])
end

local current, other, name = KEYS[3], KEYS[4], 'b'
if state[3] == 'b' then current, other, name = KEYS[4], KEYS[3], 'a' end
if now - tonumber(state[4]) > tonumber(ARGV[5]) or redis.call('HLEN', current) > tonumber(ARGV[6]) then
  redis.call('UNLINK', other)
  redis.call('HSET', commit, 'seen', name, 'seenAt', string.format('%.0f', now))
end
return 1

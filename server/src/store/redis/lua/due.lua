-- Timers that are due by Redis' own clock.
-- KEYS    1 timers
-- ARGV    1 at most so many
-- Result  now in ms, ms at which the next one behind them is due or '', then each timer: name, due ms; the earliest first

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local count = tonumber(ARGV[1])
local first = redis.call('ZRANGE', KEYS[1], 0, count, 'WITHSCORES')
local answer = { string.format('%.0f', now), '' }
for i = 1, #first, 2 do
  local due = tonumber(first[i + 1])
  if due > now or i > 2 * count then
    answer[2] = string.format('%.0f', due)
    break
  end
  answer[#answer + 1] = first[i]
  answer[#answer + 1] = string.format('%.0f', due)
end
return answer

#!lua flags=allow-oom
-- An owner's report: renews the lease, writes the progress, pauses the sink if asked to. All of it, or, under another fence, nothing.
-- Nothing grows by it: delivering goes on when Redis is full, and what was delivered is remembered.
-- KEYS    1 progress, 2 standings
-- ARGV    1 field, 2 fence, 3 lease ms, 4 progress or '', 5 '1' to pause, 6 reason
-- Result  'active', 'paused' (by somebody, or resumed: finish), or 'lost'

local text = redis.call('HGET', KEYS[2], ARGV[1])
if not text then return 'lost' end
local standing = cjson.decode(text)
if standing.fence ~= ARGV[2] then return 'lost' end
local time = redis.call('TIME')
standing.till = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) + tonumber(ARGV[3])
if ARGV[4] ~= '' then redis.call('HSET', KEYS[1], ARGV[1], ARGV[4]) end
local order = standing.anew and 'paused' or standing.status
if ARGV[5] == '1' and standing.status == 'active' then
  if standing.anew then
    -- It gives up what was resumed meanwhile: that is the next owner's to find.
    standing.owner, standing.till, standing.fence = nil, nil, nil
    order = 'lost'
  else
    standing.status, standing.reason = 'paused', ARGV[6]
    order = 'paused'
  end
end
redis.call('HSET', KEYS[2], ARGV[1], cjson.encode(standing))
return order

-- Where all sinks of the partition stand, by the store's clock.
-- KEYS    1 standings
-- Result  of each: field, status, reason or '', owner whose lease runs or ''

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local found = {}
local flat = redis.call('HGETALL', KEYS[1])
for i = 1, #flat, 2 do
  local standing = cjson.decode(flat[i + 1])
  table.insert(found, flat[i])
  table.insert(found, standing.status)
  table.insert(found, standing.reason or '')
  table.insert(found, standing.owner and standing.till > now and standing.owner or '')
end
return found

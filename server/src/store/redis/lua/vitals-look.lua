-- What all processes said last, and what the watch has noted.
-- KEYS    1 sorted set: ids by the ms of their last report, 2 hash: id to `ms JSON` (ms of the first report), 3 hash: notes
-- Result  ms now, ids and ms flat, reports in the order of the ids, notes flat

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local seen = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
local reports = {}
for i = 1, #seen, 2 do table.insert(reports, redis.call('HGET', KEYS[2], seen[i]) or '') end
return { string.format('%.0f', now), seen, reports, redis.call('HGETALL', KEYS[3]) }

#!lua flags=allow-oom
-- Takes an active sink that nobody else's lease holds.
-- Nothing grows by it: delivering goes on when Redis is full.
-- KEYS    1 records, 2 progress, 3 standings
-- ARGV    1 field, 2 owner, 3 lease ms, 4 fence
-- Result  nil when it is not to be had, else: record, progress

local text = redis.call('HGET', KEYS[3], ARGV[1])
if not text then return false end
local standing = cjson.decode(text)
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
if standing.status ~= 'active' then return false end
if standing.owner and standing.owner ~= ARGV[2] and standing.till > now then return false end
standing.owner = ARGV[2]
standing.till = now + tonumber(ARGV[3])
standing.fence = ARGV[4]
-- The former owner may have written its failure behind the resumption.
if standing.anew then
  standing.anew = nil
  local progress = cjson.decode(redis.call('HGET', KEYS[2], ARGV[1]))
  progress.failure = nil
  redis.call('HSET', KEYS[2], ARGV[1], cjson.encode(progress))
end
redis.call('HSET', KEYS[3], ARGV[1], cjson.encode(standing))
return { redis.call('HGET', KEYS[1], ARGV[1]), redis.call('HGET', KEYS[2], ARGV[1]) }

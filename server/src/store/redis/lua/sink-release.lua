#!lua flags=allow-oom
-- Gives a sink's lease back, if it is still of that fence.
-- Nothing grows by it: it goes on when Redis is full.
-- KEYS    1 standings
-- ARGV    1 field, 2 fence
-- Result  1 given back, 0 another's

local text = redis.call('HGET', KEYS[1], ARGV[1])
if not text then return 0 end
local standing = cjson.decode(text)
if standing.fence ~= ARGV[2] then return 0 end
standing.owner, standing.till, standing.fence = nil, nil, nil
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(standing))
return 1

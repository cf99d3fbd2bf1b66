-- Adds a sink, unless there is one of that name, or the project has as many as it may.
-- KEYS    1 records, 2 progress, 3 standings
-- ARGV    1 field `project/id`, 2 record, 3 progress, 4 prefix of the project's fields, 5 limit
-- Result  1 added, 0 exists, -1 full

if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then return 0 end
local count = 0
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(field, 1, #ARGV[4]) == ARGV[4] then count = count + 1 end
end
if count >= tonumber(ARGV[5]) then return -1 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
redis.call('HSET', KEYS[3], ARGV[1], cjson.encode({ status = 'active' }))
return 1

#!lua flags=allow-oom
-- Pauses or resumes a sink. Its lease stays: the owner hears of it with its next report, and loses nothing that it delivered.
-- Resumed, it has not failed yet, and reads as somebody else: an owner that still has it ends, and whoever claims it begins anew.
-- Nothing grows by it: a sink can be paused when Redis is full.
-- KEYS    1 records, 2 progress, 3 standings
-- ARGV    1 field, 2 status, 3 reason or '', 4 JSON of the new reader or ''
-- Result  1 done, 0 no such sink

local text = redis.call('HGET', KEYS[3], ARGV[1])
local record = redis.call('HGET', KEYS[1], ARGV[1])
if not text or not record then return 0 end
local standing = cjson.decode(text)
standing.status = ARGV[2]
standing.reason = ARGV[3] ~= '' and ARGV[3] or nil
if ARGV[2] == 'active' and standing.fence then standing.anew = true end
redis.call('HSET', KEYS[3], ARGV[1], cjson.encode(standing))
if ARGV[2] == 'active' then
  local progress = cjson.decode(redis.call('HGET', KEYS[2], ARGV[1]))
  progress.failure = nil
  redis.call('HSET', KEYS[2], ARGV[1], cjson.encode(progress))
end
-- The record is not decoded: an empty list would come back as an object. Its reader stands last, behind a mark that JSON text cannot hold.
if ARGV[4] ~= '' then
  redis.call('HSET', KEYS[1], ARGV[1], string.match(record, '^(.-)\n') .. '\n' .. ARGV[4])
end
return 1

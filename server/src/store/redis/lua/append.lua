-- Appends entries to source streams, all or none, each of them only if its `once` key was not used yet.
-- KEYS    1..4 source streams, 5.. once keys
-- ARGV    seven for each entry: stream (1..4), event, identity or '', replyTo or '', index into KEYS of its once key or '0', its ms to live, worker or ''
-- Result  for each entry its id, or '' where the once key had been used

local result = {}
for at = 1, #ARGV, 7 do
  local once = tonumber(ARGV[at + 4])
  local id = ''
  if once == 0 or redis.call('SET', KEYS[once], '1', 'NX', 'PX', ARGV[at + 5]) then
    local entry = { 'event', ARGV[at + 1] }
    if ARGV[at + 2] ~= '' then
      entry[#entry + 1] = 'identity'
      entry[#entry + 1] = ARGV[at + 2]
    end
    if ARGV[at + 3] ~= '' then
      entry[#entry + 1] = 'replyTo'
      entry[#entry + 1] = ARGV[at + 3]
    end
    if ARGV[at + 6] ~= '' then
      entry[#entry + 1] = 'worker'
      entry[#entry + 1] = ARGV[at + 6]
    end
    id = redis.call('XADD', KEYS[tonumber(ARGV[at])], '*', unpack(entry))
  end
  result[#result + 1] = id
end
return result

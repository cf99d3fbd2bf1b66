-- Looks through the journal itself for entries that may be of some topics: their events hold one of the needles.
-- KEYS    1 commit hash, 2 journal
-- ARGV    1 'forward' or 'backward', 2 where to begin, 3 where to end (both as XRANGE or XREVRANGE takes them), 4 number of candidates,
--         5 entries to look at, 6 bytes to look at, 7.. needles: topics as they stand in JSON
-- Result  floor, offset of the last entry looked at or '' when the end was reached, then the candidates

local command = ARGV[1] == 'forward' and 'XRANGE' or 'XREVRANGE'
local from, count, max_entries, max_bytes = ARGV[2], tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local page = { floor_of(KEYS[1], KEYS[2]), '' }
local looked, taken, bytes = 0, 0, 0
while looked < max_entries and bytes < max_bytes do
  local chunk = next_chunk(looked, bytes, max_bytes)
  local entries = redis.call(command, KEYS[2], from, ARGV[3], 'COUNT', chunk)
  for _, entry in ipairs(entries) do
    local event = entry[2][2]
    looked = looked + 1
    bytes = bytes + #event
    for i = 7, #ARGV do
      if string.find(event, ARGV[i], 1, true) then
        push_entry(page, entry)
        taken = taken + 1
        break
      end
    end
    page[2] = entry[1]
    if taken == count then return page end
  end
  if #entries < chunk then
    page[2] = ''
    return page
  end
  from = '(' .. page[2]
end
return page

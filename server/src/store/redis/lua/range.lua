-- A page of the journal.
-- KEYS    1 commit hash, 2 journal
-- ARGV    1 behind this offset, 2 up to this one, 3 number of entries, 4 bytes of events at which the page ends
-- Result  floor, offset at which the page was cut or '', then the entries: id, event, prev, epoch

local count, max_bytes = tonumber(ARGV[3]), tonumber(ARGV[4])
local page = { floor_of(KEYS[1], KEYS[2]), '' }
local after, taken, bytes = ARGV[1], 0, 0
while taken < count and bytes < max_bytes do
  local chunk = math.min(count - taken, next_chunk(taken, bytes, max_bytes))
  local entries = redis.call('XRANGE', KEYS[2], '(' .. after, ARGV[2], 'COUNT', chunk)
  for _, entry in ipairs(entries) do
    bytes = bytes + push_entry(page, entry)
    taken = taken + 1
    after = entry[1]
  end
  if #entries < chunk then return page end
end
page[2] = after
return page

-- One short step through the journal, for what no index knows: an event by its id, or what followed from some.
-- An event's JSON begins with its id, and its texts stand in it as JSON.stringify writes them, so they are compared as they stand.
-- KEYS    1 journal
-- ARGV    1 'id' (backward) or 'causation' (forward), 2 where to begin, 3 where to end (both as XREVRANGE or XRANGE takes them),
--         4 entries to look at, 5 bytes to look at, 6.. ids as JSON texts
-- Result  entries looked at, offset of the last one or '', '1' when nothing is behind it, then what was found: id, event, prev, epoch, origin or ''

-- Place of the quote that ends the JSON text which begins at `at`.
local function end_of_text(event, at)
  local place = at + 1
  while true do
    local found = string.find(event, '["\\]', place)
    if not found then return #event end
    if string.byte(event, found) == 34 then return found end
    place = found + 2
  end
end

local ids = {}
for i = 6, #ARGV do ids[ARGV[i]] = true end

local function is_wanted(event)
  return ids[string.sub(event, 7, end_of_text(event, 7))]
end

local CAUSE = '"causationId":"'

-- Whatever is in the data and looks like a cause is taken, too: the caller holds it against the event.
local function follows(event)
  local at = string.find(event, CAUSE, 1, true)
  while at do
    local begin = at + #CAUSE - 1
    local stop = end_of_text(event, begin)
    if ids[string.sub(event, begin, stop)] then
      ids[string.sub(event, 7, end_of_text(event, 7))] = true
      return true
    end
    at = string.find(event, CAUSE, stop, true)
  end
  return false
end

local by_id = ARGV[1] == 'id'
local command, takes = by_id and 'XREVRANGE' or 'XRANGE', by_id and is_wanted or follows
local from, max_entries, max_bytes = ARGV[2], tonumber(ARGV[4]), tonumber(ARGV[5])
local result = { 0, '', '' }
local looked, bytes = 0, 0
while looked < max_entries and bytes < max_bytes do
  local chunk = math.min(max_entries - looked, next_chunk(looked, bytes, max_bytes))
  local entries = redis.call(command, KEYS[1], from, ARGV[3], 'COUNT', chunk)
  for _, entry in ipairs(entries) do
    local fields = entry[2]
    looked = looked + 1
    bytes = bytes + #fields[2]
    result[2] = entry[1]
    if takes(fields[2]) then
      local n = #result
      result[n + 1], result[n + 2], result[n + 3], result[n + 4], result[n + 5] = entry[1], fields[2], fields[4], fields[6], fields[10] or ''
    end
  end
  if #entries < chunk then
    result[3] = '1'
    break
  end
  from = '(' .. result[2]
end
result[1] = tostring(looked)
return result

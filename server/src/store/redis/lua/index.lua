-- A page of some topics' entries, by the topic indexes.
-- An index lives twice the age behind its last entry, so it holds all of its topic's entries that are younger than the age.
-- KEYS    1 commit hash, 2 journal, 3.. topic indexes
-- ARGV    1 behind this member, 2 up to this one, 3 number of entries, 4 age ms, 5 bytes of events at which the page ends
-- Result  nil when the range begins before the age: scan. Else floor, offset at which the page was cut or '', then the entries

local up_to, count, max_bytes = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[5])
local page = { floor_of(KEYS[1], KEYS[2]), '' }

-- What was trimmed needs no index: the range begins at the first entry there is.
local after, oldest = ARGV[1], ARGV[1]
local first = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
if not first then return page end
local lowest = member_of(first[1])
if lowest > after then after, oldest = member_of(page[1]), lowest end
if tonumber(string.sub(oldest, 1, 16)) <= now_ms() - tonumber(ARGV[4]) then return false end

-- Of each topic a share. A share that is full may hide more behind its end: the page goes no further than the first such end.
local share = math.max(64, math.ceil(2 * count / (#KEYS - 2)))
local members, known, horizon = {}, {}, nil
for i = 3, #KEYS do
  local place = place_behind(KEYS[i], after)
  local found = redis.call('LRANGE', KEYS[i], place, place + share - 1)
  if #found == share and found[share] < up_to and (not horizon or found[share] < horizon) then horizon = found[share] end
  for _, member in ipairs(found) do
    if member > up_to then break end
    if not known[member] then
      known[member] = true
      members[#members + 1] = member
    end
  end
end
table.sort(members)

local taken, bytes = 0, 0
for _, member in ipairs(members) do
  if horizon and member > horizon then break end
  local id = id_of(member)
  local entry = redis.call('XRANGE', KEYS[2], id, id)[1]
  if entry then
    bytes = bytes + push_entry(page, entry)
    taken = taken + 1
  end
  if taken == count or bytes >= max_bytes then
    page[2] = id
    return page
  end
end
if horizon then page[2] = id_of(horizon) end
return page

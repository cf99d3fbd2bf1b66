-- The newest entries of some topics, newest first, by the topic indexes: complete only for what is younger than the age.
-- KEYS    1 commit hash, 2 journal, 3.. topic indexes
-- ARGV    1 up to this member, 2 number of entries, 3 age ms, 4 bytes of events at which the page ends
-- Result  floor, ms from which on (and back) an index may be incomplete, member at which the page was cut or '', then the entries

local count, max_bytes = tonumber(ARGV[2]), tonumber(ARGV[4])
local old = math.max(0, now_ms() - tonumber(ARGV[3]))
local page = { floor_of(KEYS[1], KEYS[2]), string.format('%.0f', old), '' }
local lowest = string.format('%016.0f-99999999', old)

-- Shares and horizon as in index.lua, the other way round.
local share = math.max(64, math.ceil(2 * count / (#KEYS - 2)))
local members, known, horizon = {}, {}, nil
for i = 3, #KEYS do
  local place = place_behind(KEYS[i], ARGV[1])
  local found = place > 0 and redis.call('LRANGE', KEYS[i], math.max(0, place - share), place - 1) or {}
  if #found == share and found[1] > lowest and (not horizon or found[1] > horizon) then horizon = found[1] end
  for _, member in ipairs(found) do
    if member > lowest and not known[member] then
      known[member] = true
      members[#members + 1] = member
    end
  end
end
table.sort(members, function(a, b) return a > b end)

local taken, bytes = 0, 0
for _, member in ipairs(members) do
  if horizon and member < horizon then break end
  local id = id_of(member)
  local entry = redis.call('XRANGE', KEYS[2], id, id)[1]
  if entry then
    bytes = bytes + push_entry(page, entry)
    taken = taken + 1
  end
  if taken == count or bytes >= max_bytes then
    page[3] = member
    return page
  end
end
if horizon then page[3] = horizon end
return page

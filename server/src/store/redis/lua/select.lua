-- Entities by id or in the order of an index, and where the journal stands, in one moment. Reads what it answers, and one more.
-- KEYS    1 commit hash, 2 epochs, then for each selector: the kind's entities, index (of a selector by ids: the entities again)
-- ARGV    1 number of entities, 2 bytes of JSON, 3 places to look at for prefixes,
--         4 behind this place of the first selector's index, '' from its beginning, then
--         for each selector by ids:    'ids', number of ids, ids
--         for each selector by index:  'forward' | 'backward', prefix of the ids
-- Result  last offset, current epoch as 'nonce offset' or nil, number of the selector that a limit ended or '', then the place in
--         its index to go on behind (of ids: how many were passed), then each entity: selector, id, 'revision ms JSON'

local count, max_bytes, look = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local page = { redis.call('HGET', KEYS[1], 'last') or '0-0', redis.call('LINDEX', KEYS[2], -1), '', '' }
local taken, bytes, looked = 0, 0, 0

-- False: there is one more than the limits let in.
local function take(selector, entities, id)
  local value = redis.call('HGET', entities, id)
  if not value then return true end
  if taken > 0 and (taken >= count or bytes + #value > max_bytes) then return false end
  taken, bytes = taken + 1, bytes + #value
  local n = #page
  page[n + 1], page[n + 2], page[n + 3] = selector, id, value
  return true
end

local function take_ids(selector, entities, at, number)
  for i = 1, number do
    if not take(selector, entities, ARGV[at + i]) then return i - 1 end
  end
end

local function places_behind(index, backward, after, number)
  if backward then return redis.call('ZRANGE', index, after == '' and '+' or '(' .. after, '-', 'BYLEX', 'REV', 'LIMIT', 0, number) end
  return redis.call('ZRANGE', index, after == '' and '-' or '(' .. after, '+', 'BYLEX', 'LIMIT', 0, number)
end

-- A place is '<ms> <id>', ms of 15 digits. What is answered names no entity that was only looked at (I6): a place of the page, or
-- the border of a millisecond that was passed as a whole ('!' follows the blank).
local function take_index(selector, entities, index, backward, prefix, after)
  local passed, shown = after, after
  while true do
    local chunk = prefix == '' and math.max(1, math.min(500, count - taken + 1)) or 500
    local places = places_behind(index, backward, passed, chunk)
    for _, place in ipairs(places) do
      local id = string.sub(place, 17)
      if string.sub(id, 1, #prefix) == prefix then
        if not take(selector, entities, id) then return shown end
        shown = place
      elseif looked >= look and passed ~= '' and string.sub(place, 1, 15) ~= string.sub(passed, 1, 15) then
        return string.sub(passed, 1, 15) .. (backward and '' or '!')
      end
      looked, passed = looked + 1, place
    end
    if #places < chunk then return nil end
  end
end

local at, after = 5, ARGV[4]
for selector = 1, (#KEYS - 2) / 2 do
  local entities, index, how = KEYS[2 * selector + 1], KEYS[2 * selector + 2], ARGV[at]
  local stopped
  if how == 'ids' then
    local number = tonumber(ARGV[at + 1])
    stopped = take_ids(selector, entities, at + 1, number)
    at = at + 2 + number
  else
    stopped = take_index(selector, entities, index, how == 'backward', ARGV[at + 1], after)
    at = at + 2
  end
  if stopped then
    page[3], page[4] = selector, stopped
    return page
  end
  after = ''
end
return page

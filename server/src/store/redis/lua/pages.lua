-- Shared by the scripts that follow it: the journal's floor, index members, and the pace at which entries are read.
-- A journal entry's fields stand in the order in which commit.lua writes them: event, prev, epoch, bytes, origin (of older hubs none).

local function now_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- The last offset that was trimmed away: exact, because each entry names the one before it.
local function floor_of(commit, journal)
  local first = redis.call('XRANGE', journal, '-', '+', 'COUNT', 1)[1]
  if first then return first[2][4] end
  return redis.call('HGET', commit, 'last') or '0-0'
end

-- A topic index is a list of padded offsets: commits add at its end, so its order is the journal's, and so is the order of texts.
-- (Measured: as a sorted set it took 6 of a commit's 13 us an event, as a list 2 of 9; and a quarter of the memory.)
local function member_of(id)
  local ms, seq = string.match(id, '^(%d+)-(%d+)$')
  return string.format('%016.0f-%08.0f', ms, seq)
end

local function id_of(member)
  local ms, seq = string.match(member, '^0*(%d+)-0*(%d+)$')
  return ms .. '-' .. seq
end

-- Place in an index of the first member behind `after`; from the end at first, because readers are mostly near it.
local function place_behind(index, after)
  local length = redis.call('LLEN', index)
  local low, high, step = -1, length, 1
  while high > 0 do
    local place = math.max(0, length - step)
    if redis.call('LINDEX', index, place) <= after then
      low = place
      break
    end
    high, step = place, step * 2
  end
  while high - low > 1 do
    local middle = math.floor((low + high) / 2)
    if redis.call('LINDEX', index, middle) <= after then low = middle else high = middle end
  end
  return high
end

local function push_entry(page, entry)
  local fields = entry[2]
  local n = #page
  page[n + 1], page[n + 2], page[n + 3], page[n + 4] = entry[1], fields[2], fields[4], fields[6]
  return #fields[2]
end

-- How many entries to read next, so that large ones do not fill the memory of Redis in one step.
local function next_chunk(entries, bytes, max_bytes)
  if entries == 0 then return 20 end
  return math.max(1, math.min(500, math.floor((max_bytes - bytes) / (bytes / entries + 1))))
end

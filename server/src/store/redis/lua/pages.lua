-- Shared by the scripts that follow it: the journal's floor, index members, and the pace at which entries are read.
-- A journal entry's fields stand in the order in which commit.lua writes them: event, prev, epoch, bytes.

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

-- Index members are padded offsets: their order as texts is the journal's.
local function member_of(id)
  local ms, seq = string.match(id, '^(%d+)-(%d+)$')
  return string.format('%016.0f-%08.0f', ms, seq)
end

local function id_of(member)
  local ms, seq = string.match(member, '^0*(%d+)-0*(%d+)$')
  return ms .. '-' .. seq
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

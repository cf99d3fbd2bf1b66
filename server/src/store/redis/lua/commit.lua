-- Commits one batch: all or nothing, fenced, idempotent (I3). Every check comes before the first write, for Redis undoes nothing.
-- KEYS    1 commit hash, 2 journal, 3 dead letters, 4 seen:a, 5 seen:b, 6..9 source streams (agents, workflows, github, system),
--         10.. topic indexes that the batch touches, then for each kind of entity that it changes: entities, index of all of them,
--         then the indexes of terms that it changes, then the timers if it sets any
-- ARGV    1 fence, 2 batch number, 3..6 positions before, 7..10 positions after, 11 ms to live of a topic index,
--         12 dead letters to keep, 13 number of appends, 14 of outcomes, 15 of dead letters, 16 of waiting workers,
--         17 of topic indexes, 18 of kinds, 19 of term indexes, 20 of timers to set, 21 to take away, then
--         for each append:       event, seen key or '' (nothing is remembered), origin
--         for each topic index:  numbers of its appends, '1,4,9'
--         for each outcome:      seen key, outcome
--         for each dead letter:  stream, entry id, code, message, fields as JSON
--         for each kind:         number of writes, then for each: id, ms of its place, number of its append, JSON or '' (forgotten)
--         for each term index:   number of places that enter, of those that leave, then '0' and place of each, place of each
--         timers:                due ms and name of each to set, name of each to take away
--         for each worker:       channel, numbers of its appends, further lines 'seenKey outcome'
-- Result  { 'committed' | 'replayed', offset of the first append or '' } (the others follow without a hole), { 'fenced' }, { 'lost' }

local state = redis.call('HMGET', KEYS[1], 'fence', 'number', 'result', 'last', 'epoch', 'bytes', 'seen', 'agents', 'workflows', 'github', 'system')
if state[1] ~= ARGV[1] then return { 'fenced' } end
if state[2] == ARGV[2] then return { 'replayed', state[3] } end
if tonumber(state[2]) ~= tonumber(ARGV[2]) - 1 then return { 'lost' } end
for i = 1, 4 do
  if state[7 + i] ~= ARGV[2 + i] then return { 'lost' } end
end

local last, epoch, bytes = state[4], state[5], tonumber(state[6])
local seen = state[7] == 'b' and KEYS[5] or KEYS[4]
local appends, outcomes, deads, workers = tonumber(ARGV[13]), tonumber(ARGV[14]), tonumber(ARGV[15]), tonumber(ARGV[16])
local topics, kinds, terms, set, unset = tonumber(ARGV[17]), tonumber(ARGV[18]), tonumber(ARGV[19]), tonumber(ARGV[20]), tonumber(ARGV[21])

-- Offsets are given here, not by XADD: one run without a hole, also when the clock stands behind the last entry.
local now = now_ms()
local ms, seq = now, 0
local last_ms, last_seq = string.match(last, '^(%d+)-(%d+)$')
if tonumber(last_ms) >= now then ms, seq = tonumber(last_ms), tonumber(last_seq) + 1 end
local stem, padded = string.format('%.0f-', ms), string.format('%016.0f-', ms)
local first = appends > 0 and stem .. seq or ''

local at = 22
local keys, ids, members, remembered, known = {}, {}, {}, {}, 0
for i = 1, appends do
  local event, key = ARGV[at], ARGV[at + 1]
  local id = stem .. (seq + i - 1)
  bytes = bytes + #event
  redis.call('XADD', KEYS[2], id, 'event', event, 'prev', last, 'epoch', epoch, 'bytes', string.format('%.0f', bytes), 'origin', ARGV[at + 2])
  keys[i], ids[i], members[i] = key, id, padded .. string.format('%08d', seq + i - 1)
  if key ~= '' then
    remembered[known + 1], remembered[known + 2] = key, id
    known = known + 2
  end
  last = id
  at = at + 3
end

-- unpack() takes about 8,000 values.
local function call_with(command, key, values, first_value, last_value)
  local reply
  for from = first_value, last_value, 6000 do
    reply = redis.call(command, key, unpack(values, from, math.min(from + 5999, last_value)))
  end
  return reply
end

-- An index that grew past another 256 members drops those under the floor: amortised, and never more than so many stale ones.
-- Indexes that do not grow expire.
local floor
for i = 10, 9 + topics do
  local carried = {}
  for number in string.gmatch(ARGV[at], '%d+') do carried[#carried + 1] = members[tonumber(number)] end
  local length = call_with('RPUSH', KEYS[i], carried, 1, #carried)
  if length % 256 < #carried then
    floor = floor or member_of(floor_of(KEYS[1], KEYS[2]))
    redis.call('LTRIM', KEYS[i], place_behind(KEYS[i], floor), -1)
  end
  redis.call('PEXPIRE', KEYS[i], ARGV[11])
  at = at + 1
end

for _ = 1, outcomes do
  remembered[known + 1], remembered[known + 2] = ARGV[at], ARGV[at + 1]
  known = known + 2
  at = at + 2
end
call_with('HSET', seen, remembered, 1, known)

for _ = 1, deads do
  redis.call('XADD', KEYS[3], '*', 'stream', ARGV[at], 'entry', ARGV[at + 1], 'code', ARGV[at + 2], 'message', ARGV[at + 3],
    'fields', ARGV[at + 4], 'at', string.format('%.0f', now))
  at = at + 5
end
if deads > 0 then redis.call('XTRIM', KEYS[3], 'MAXLEN', ARGV[12]) end

-- State, with the offset of the event that made it so. Nothing in it can fail: what would was refused before it was sent.
-- In the order of the writes, because an entity may be forgotten and made anew: a new one enters the index of all.
local key = 9 + topics
for _ = 1, kinds do
  local entities, all, writes = KEYS[key + 1], KEYS[key + 2], tonumber(ARGV[at])
  for write = at + 1, at + 4 * writes, 4 do
    local id, ms, json = ARGV[write], ARGV[write + 1], ARGV[write + 3]
    if json == '' then
      redis.call('HDEL', entities, id)
      redis.call('ZREM', all, ms .. ' ' .. id)
    elseif redis.call('HSET', entities, id, ids[tonumber(ARGV[write + 2])] .. ' ' .. ms .. ' ' .. json) == 1 then
      redis.call('ZADD', all, 0, ms .. ' ' .. id)
    end
  end
  at, key = at + 1 + 4 * writes, key + 2
end

for _ = 1, terms do
  local entering, leaving = 2 * tonumber(ARGV[at]), tonumber(ARGV[at + 1])
  key, at = key + 1, at + 2
  call_with('ZADD', KEYS[key], ARGV, at, at + entering - 1)
  call_with('ZREM', KEYS[key], ARGV, at + entering, at + entering + leaving - 1)
  at = at + entering + leaving
end

if set + unset > 0 then
  call_with('ZADD', KEYS[key + 1], ARGV, at, at + 2 * set - 1)
  call_with('ZREM', KEYS[key + 1], ARGV, at + 2 * set, at + 2 * set + unset - 1)
  at = at + 2 * set + unset
end

redis.call('HSET', KEYS[1], 'number', ARGV[2], 'result', first, 'last', last, 'bytes', string.format('%.0f', bytes),
  'agents', ARGV[7], 'workflows', ARGV[8], 'github', ARGV[9], 'system', ARGV[10])

for i = 1, 4 do
  if ARGV[2 + i] ~= ARGV[6 + i] then redis.call('XTRIM', KEYS[5 + i], 'MINID', '~', ARGV[6 + i]) end
end

for _ = 1, workers do
  local lines = {}
  for number in string.gmatch(ARGV[at + 1], '%d+') do
    local i = tonumber(number)
    lines[#lines + 1] = keys[i] .. ' ' .. ids[i]
  end
  if ARGV[at + 2] ~= '' then lines[#lines + 1] = ARGV[at + 2] end
  redis.call('SPUBLISH', ARGV[at], table.concat(lines, '\n'))
  at = at + 3
end
return { 'committed', first }

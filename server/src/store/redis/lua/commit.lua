-- Commits one batch: all or nothing, fenced, idempotent (I3). Every check comes before the first write, for Redis undoes nothing.
-- KEYS    1 commit hash, 2 journal, 3 dead letters, 4 seen:a, 5 seen:b, 6..9 source streams (agents, workflows, github, system),
--         10.. topic indexes that the batch touches
-- ARGV    1 fence, 2 batch number, 3..6 positions before, 7..10 positions after, 11 ms to live of a topic index,
--         12 dead letters to keep, 13 number of appends, 14 of outcomes, 15 of dead letters, 16 of waiting workers, then
--         for each append:       event, seen key
--         for each topic index:  numbers of its appends, '1,4,9'
--         for each outcome:      seen key, outcome
--         for each dead letter:  stream, entry id, code, message, fields as JSON
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

-- Offsets are given here, not by XADD: one run without a hole, also when the clock stands behind the last entry.
local now = now_ms()
local ms, seq = now, 0
local last_ms, last_seq = string.match(last, '^(%d+)-(%d+)$')
if tonumber(last_ms) >= now then ms, seq = tonumber(last_ms), tonumber(last_seq) + 1 end
local stem, padded = string.format('%.0f-', ms), string.format('%016.0f-', ms)
local first = appends > 0 and stem .. seq or ''

local at = 17
local keys, ids, members, remembered = {}, {}, {}, {}
for i = 1, appends do
  local event, key = ARGV[at], ARGV[at + 1]
  local id = stem .. (seq + i - 1)
  bytes = bytes + #event
  redis.call('XADD', KEYS[2], id, 'event', event, 'prev', last, 'epoch', epoch, 'bytes', string.format('%.0f', bytes))
  keys[i], ids[i], members[i] = key, id, padded .. string.format('%08d', seq + i - 1)
  remembered[2 * i - 1], remembered[2 * i] = key, id
  last = id
  at = at + 2
end

-- unpack() takes about 8,000 values.
local function call_with(command, key, values)
  local reply
  for from = 1, #values, 6000 do
    reply = redis.call(command, key, unpack(values, from, math.min(from + 5999, #values)))
  end
  return reply
end

-- An index that grew past another 256 members drops those under the floor: amortised, and never more than so many stale ones.
-- Indexes that do not grow expire.
local floor
for i = 10, #KEYS do
  local carried = {}
  for number in string.gmatch(ARGV[at], '%d+') do carried[#carried + 1] = members[tonumber(number)] end
  local length = call_with('RPUSH', KEYS[i], carried)
  if length % 256 < #carried then
    floor = floor or member_of(floor_of(KEYS[1], KEYS[2]))
    redis.call('LTRIM', KEYS[i], place_behind(KEYS[i], floor), -1)
  end
  redis.call('PEXPIRE', KEYS[i], ARGV[11])
  at = at + 1
end

for _ = 1, outcomes do
  remembered[#remembered + 1] = ARGV[at]
  remembered[#remembered + 1] = ARGV[at + 1]
  at = at + 2
end
call_with('HSET', seen, remembered)

for _ = 1, deads do
  redis.call('XADD', KEYS[3], '*', 'stream', ARGV[at], 'entry', ARGV[at + 1], 'code', ARGV[at + 2], 'message', ARGV[at + 3],
    'fields', ARGV[at + 4], 'at', string.format('%.0f', now))
  at = at + 5
end
if deads > 0 then redis.call('XTRIM', KEYS[3], 'MAXLEN', ARGV[12]) end

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

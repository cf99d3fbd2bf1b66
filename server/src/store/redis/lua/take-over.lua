#!lua flags=allow-oom
-- Takes the lease, and with it a new fence and a new epoch: from here on no other owner's commit succeeds (I3).
-- A full Redis, too, must have owners: only an owner trims.
-- KEYS    1 lease, 2 commit hash, 3 epochs, 4 journal, 5 owners of epochs
-- ARGV    1 owner, 2 lease ms, 3 fence, 4 epoch, 5 'free': nobody else may hold the lease, 'mine': the owner must hold it
-- Result  nil when not taken, else: batch number, last offset, positions of agents, workflows, github, system

local holder = redis.call('GET', KEYS[1])
if holder ~= ARGV[1] and (holder or ARGV[5] == 'mine') then return false end

local time = redis.call('TIME')
local now = time[1] .. string.sub(string.format('%06d', time[2]), 1, 3)
local state = redis.call('HMGET', KEYS[2], 'number', 'last', 'bytes', 'seen', 'seenAt', 'agents', 'workflows', 'github', 'system')
for i = 6, 9 do state[i] = state[i] or '0-0' end
local last = state[2] or '0-0'

redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('HSET', KEYS[2], 'fence', ARGV[3], 'epoch', ARGV[4], 'number', state[1] or '0', 'last', last, 'bytes', state[3] or '0',
  'seen', state[4] or 'a', 'seenAt', state[5] or now,
  'agents', state[6], 'workflows', state[7], 'github', state[8], 'system', state[9])
redis.call('RPUSH', KEYS[3], ARGV[4] .. ' ' .. last)
redis.call('HSET', KEYS[5], ARGV[4], ARGV[1])
while redis.call('LLEN', KEYS[3]) > 1000 do
  local gone = redis.call('LPOP', KEYS[3])
  redis.call('HDEL', KEYS[5], string.match(gone, '^%S+'))
end
return { state[1] or '0', last, state[6], state[7], state[8], state[9] }

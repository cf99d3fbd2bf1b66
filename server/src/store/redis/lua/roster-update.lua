#!lua flags=allow-oom
-- Changes what a worker holds in a group, and tells whom that brought onto a living worker or took from the last one.
-- Small, and of connections only: it goes on when Redis is full.
-- KEYS    1 members, 2 holders
-- ARGV    1 worker, 2 ms to live, 3 number of living workers, then those, then of each change: member, 1 joins or 0 leaves, info
-- Result  list of joined, list of left

local worker, living, first = ARGV[1], {}, 4 + tonumber(ARGV[3])
for i = 4, first - 1 do living[ARGV[i]] = true end
local others, dead = {}, {}
for _, other in ipairs(redis.call('HKEYS', KEYS[2])) do
  if other ~= worker then table.insert(living[other] and others or dead, other) end
end
local function elsewhere(member)
  for _, other in ipairs(others) do
    if redis.call('HEXISTS', KEYS[1], member .. '\0' .. other) == 1 then return true end
  end
  return false
end
local function count(holder, change)
  if change ~= 0 and redis.call('HINCRBY', KEYS[2], holder, change) <= 0 then redis.call('HDEL', KEYS[2], holder) end
end

local joined, left, change = {}, {}, 0
for i = first, #ARGV, 3 do
  local member = ARGV[i]
  local field = member .. '\0' .. worker
  if ARGV[i + 1] == '1' then
    if redis.call('HSET', KEYS[1], field, ARGV[i + 2]) == 1 then
      change = change + 1
      if not elsewhere(member) then table.insert(joined, member) end
    end
  elseif redis.call('HDEL', KEYS[1], field) == 1 then
    change = change - 1
    if not elsewhere(member) then
      table.insert(left, member)
      -- With what dead workers hold of it, or the sweep would tell it again.
      for _, other in ipairs(dead) do count(other, -redis.call('HDEL', KEYS[1], member .. '\0' .. other)) end
    end
  end
end
count(worker, change)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return { joined, left }

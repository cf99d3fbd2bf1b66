-- Takes out of a group what dead workers held. Where there is none, it looks at the holders only.
-- KEYS    1 members, 2 holders
-- ARGV    1 ms to live, then the living workers
-- Result  members that are on no worker any more

local living = {}
for i = 2, #ARGV do living[ARGV[i]] = true end
local dead = {}
for _, holder in ipairs(redis.call('HKEYS', KEYS[2])) do
  if not living[holder] then table.insert(dead, holder) end
end
local left = {}
if #dead > 0 then
  local stays, goes = {}, {}
  for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
    local at = string.find(field, '\0', 1, true)
    local member = string.sub(field, 1, at - 1)
    if living[string.sub(field, at + 1)] then stays[member] = true else goes[field] = member end
  end
  local told = {}
  for field, member in pairs(goes) do
    redis.call('HDEL', KEYS[1], field)
    if not stays[member] and not told[member] then
      told[member] = true
      table.insert(left, member)
    end
  end
  for _, holder in ipairs(dead) do redis.call('HDEL', KEYS[2], holder) end
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[1])
return left

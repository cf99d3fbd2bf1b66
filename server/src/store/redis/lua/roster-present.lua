-- KEYS    1 members, 2 holders
-- ARGV    1 number of living workers, then those, then members
-- Result  those of the members that are on a living worker

local living, first = {}, 2 + tonumber(ARGV[1])
for i = 2, first - 1 do living[ARGV[i]] = true end
local holders = {}
for _, holder in ipairs(redis.call('HKEYS', KEYS[2])) do
  if living[holder] then table.insert(holders, holder) end
end
local present = {}
for i = first, #ARGV do
  for _, holder in ipairs(holders) do
    if redis.call('HEXISTS', KEYS[1], ARGV[i] .. '\0' .. holder) == 1 then
      table.insert(present, ARGV[i])
      break
    end
  end
end
return present

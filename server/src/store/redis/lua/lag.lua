-- Counts the source entries behind the committed positions. Commits trim the streams up to about there, so little is read.
-- KEYS    1 commit hash, 2..5 source streams: agents, workflows, github, system
-- Result  number of entries

local positions = redis.call('HMGET', KEYS[1], 'agents', 'workflows', 'github', 'system')
local behind = 0
for i = 1, 4 do
  local position = positions[i] or '0-0'
  behind = behind + redis.call('XLEN', KEYS[i + 1])
  local from = '-'
  repeat
    local done = redis.call('XRANGE', KEYS[i + 1], from, position, 'COUNT', 100)
    behind = behind - #done
    if #done > 0 then from = '(' .. done[#done][1] end
  until #done < 100
end
return behind

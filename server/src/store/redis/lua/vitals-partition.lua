-- How a partition is. Behind `behind.lua`.
-- KEYS    1 commit hash, 2..5 source streams: agents, workflows, github, system, 6 lease, 7 dead-letter stream
-- Result  owner or '', entries behind the committed positions, dead letters, dead letters ever

local ever = 0
local about = redis.pcall('XINFO', 'STREAM', KEYS[7])
if not about.err then
  for i = 1, #about, 2 do
    if about[i] == 'entries-added' then ever = about[i + 1] end
  end
end
return { redis.call('GET', KEYS[6]) or '', behind(KEYS[1], { KEYS[2], KEYS[3], KEYS[4], KEYS[5] }), redis.call('XLEN', KEYS[7]), ever }

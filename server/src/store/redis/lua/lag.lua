-- Counts the source entries behind the committed positions. Behind `behind.lua`.
-- KEYS    1 commit hash, 2..5 source streams: agents, workflows, github, system
-- Result  number of entries

return behind(KEYS[1], { KEYS[2], KEYS[3], KEYS[4], KEYS[5] })

-- Part of other scripts: source entries behind the committed positions. Commits trim the streams up to about there, so little is read.
-- commit: key of the commit hash; sources: keys of the source streams agents, workflows, github, system

local function behind(commit, sources)
  local positions = redis.call('HMGET', commit, 'agents', 'workflows', 'github', 'system')
  local count = 0
  for i = 1, 4 do
    local position = positions[i] or '0-0'
    count = count + redis.call('XLEN', sources[i])
    local from = '-'
    repeat
      local done = redis.call('XRANGE', sources[i], from, position, 'COUNT', 100)
      count = count - #done
      if #done > 0 then from = '(' .. done[#done][1] end
    until #done < 100
  end
  return count
end

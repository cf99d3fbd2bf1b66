-- Where the journal begins and ends, in one moment.
-- KEYS    1 commit hash, 2 journal, 3 epochs
-- Result  last offset, floor, then each epoch as 'nonce offset', oldest first

local page = redis.call('LRANGE', KEYS[3], 0, -1)
table.insert(page, 1, floor_of(KEYS[1], KEYS[2]))
table.insert(page, 1, redis.call('HGET', KEYS[1], 'last') or '0-0')
return page

-- The one who compares everything goes on, or has come to an end and marks it. Nothing is marked when Redis was emptied
-- while it went on: the turn is gone then.
-- KEYS: turn, epoch   ARGV: whose turn, for how long more in ms, the mark ('' while it goes on)
-- Returns: 1, or 0 when it is not (any more) the caller's turn
local turn, forMs, epoch = unpack(ARGV)
if redis.call('GET', KEYS[1]) ~= turn then return 0 end
if epoch == '' then
  redis.call('PEXPIRE', KEYS[1], forMs)
else
  redis.call('SET', KEYS[2], epoch)
  redis.call('DEL', KEYS[1])
end
return 1

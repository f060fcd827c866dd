-- One gate for each token host, before all requests of all workers to it: it keeps them inside the provider's budget,
-- and while the host fails it lets one through now and then, to find out whether it still does. `admit` and `report`
-- decide by counters and a clock alone; what is around them loads and keeps the counters.
-- KEYS: state, those who were held back by when they lose their token, the same by when they were to come back
-- ARGV: 'admit', now in ms ('': this server's clock), requests a second of the budget ('' none), who asks, when it
--       loses its token in ms
--   or: 'report', now, budget, 'alive' or 'failing', the epoch of the admission, Retry-After in ms ('' none)
-- Returns: admit: 'send' or 'hold', for how many ms, mode, epoch    report: mode, epoch

-- so many failures with no success between them are the host's, and not of single credentials
local failuresInARow = 5
local failuresInRamp = 3
-- nothing came back of so many requests for so long: it need not be waited for that they time out
local unansweredRequests = 10
local unansweredMs = 3000
local probeEveryMs = 5000
-- no Retry-After keeps the host from being looked at again for longer
local longestProbeMs = 60000
-- after an outage: one request a second at first, twice as many every so often
local doubleEveryMs = 2000
-- what a host without a budget is taken to bear
local withoutBudget = 1000
-- those who were held back come back at this rate where there is no budget
local comeBackRate = 50
-- a request waits inside its attempt no longer than this for its turn
local longestWaitMs = 1000
-- and while the next turns are taken for so long already, it has one only when no more are nearer to losing their
-- token than can be sent in that: a turn that is free is not kept for someone who is not there yet
local contendedMs = 500
local lookAheadMs = 3000
local shortestHoldMs = 1000
local longestHoldMs = 60000
-- who was to come back and did not is counted no more
local forgottenAfterMs = 30000
local idleMs = 3600000

local function enter(s, mode, now)
  s.mode = mode
  s.since = now
  s.epoch = s.epoch + 1
  s.failures = 0
  s.unanswered = 0
end

local function close(s, now, retryAfter)
  if s.mode ~= 'probing' then enter(s, 'probing', now) end
  s.probeAt = now + math.max(probeEveryMs, math.min(retryAfter, longestProbeMs))
end

local function send(s, now, inMs)
  if s.unanswered == 0 then s.unansweredSince = now end
  s.unanswered = s.unanswered + 1
  return 'send', math.ceil(inMs)
end

local function hold(inMs)
  return 'hold', math.ceil(math.min(longestHoldMs, math.max(shortestHoldMs, inMs)))
end

-- ahead: how many were held back that lose their token earlier
local function admit(s, now, budget, ahead)
  local full = budget or withoutBudget
  if s.mode ~= 'probing' and s.unanswered >= unansweredRequests and now - s.unansweredSince >= unansweredMs then
    close(s, now, 0)
  end
  if s.mode == 'probing' then
    if now < s.probeAt then return hold(s.probeAt - now + ahead * 1000 / (budget or comeBackRate)) end
    local turn = math.max(now, budget and s.slotAt or now)
    if turn - now > longestWaitMs then return hold(turn - now) end
    s.probeAt = now + probeEveryMs
    s.slotAt = turn + 1000 / full
    return send(s, now, turn - now)
  end
  local rate = full
  if s.mode == 'ramp' then
    rate = math.min(full, math.min(full, 1) * 2 ^ ((now - s.since) / doubleEveryMs))
    if rate >= full then enter(s, 'open', now) end
  end
  if s.mode == 'open' and not budget then return send(s, now, 0) end
  local turn = math.max(now, s.slotAt)
  local others = turn - now > contendedMs and ahead * 1000 / rate > lookAheadMs
  if others or turn - now > longestWaitMs then
    return hold(math.max(turn - now, ahead * 1000 / full))
  end
  s.slotAt = turn + 1000 / rate
  return send(s, now, turn - now)
end

local function report(s, now, outcome, epoch, retryAfter)
  if outcome == 'alive' then
    s.failures = 0
    s.unanswered = 0
    if s.mode == 'probing' then enter(s, 'ramp', now) end
    return
  end
  -- what was sent before the mode changed says nothing new
  if epoch ~= s.epoch then return end
  s.failures = s.failures + 1
  local enough = s.mode == 'ramp' and failuresInRamp or failuresInARow
  if s.mode == 'probing' or s.failures >= enough then close(s, now, retryAfter) end
end

local op, nowMs, budget, a, b, c = unpack(ARGV)
local now = tonumber(nowMs)
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

local fields = { 'since', 'epoch', 'failures', 'unanswered', 'unansweredSince', 'probeAt', 'slotAt' }
local held = redis.call('HMGET', KEYS[1], 'mode', unpack(fields))
local s = { mode = held[1] or 'open' }
for i, field in ipairs(fields) do s[field] = tonumber(held[i + 1] or '0') end

local function keep()
  local flat = { 'mode', s.mode }
  for _, field in ipairs(fields) do
    flat[#flat + 1] = field
    flat[#flat + 1] = string.format('%.3f', s[field])
  end
  redis.call('HSET', KEYS[1], unpack(flat))
  for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, idleMs) end
end

if op == 'report' then
  report(s, now, a, tonumber(b), tonumber(c) or 0)
  keep()
  return { s.mode, s.epoch }
end

for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now - forgottenAfterMs, 'LIMIT', 0, 20)) do
  redis.call('ZREM', KEYS[2], gone)
  redis.call('ZREM', KEYS[3], gone)
end
-- who waits does not fall back, even where its own end is a guess that moves
local before = redis.call('ZSCORE', KEYS[2], a)
if before and tonumber(before) < tonumber(b) then b = before end
local verdict, inMs = admit(s, now, tonumber(budget), redis.call('ZCOUNT', KEYS[2], '-inf', '(' .. b))
if verdict == 'send' then
  redis.call('ZREM', KEYS[2], a)
  redis.call('ZREM', KEYS[3], a)
else
  redis.call('ZADD', KEYS[2], b, a)
  redis.call('ZADD', KEYS[3], now + inMs, a)
end
keep()
return { verdict, inMs, s.mode, s.epoch }

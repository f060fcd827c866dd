-- May this run send the refresh token of generation n? Reads the grant hash and, when nothing stands against it,
-- writes the run into it, so that a run made by a reset or on another server is noticed before it sends.
-- Each refresh of a workflow has a number, higher than those before. Taking the hash over raises it: an attempt that a
-- frozen process begins long after it was handed out is refused, however young it believes itself to be.
-- KEYS: grant   ARGV: namespace, run, the run it continues, family, generation n, number ('': it will not send),
--       take ('1': own it whoever had it, and let nothing send that was handed out before)
-- Returns: verdict, Redis TIME in ms, then the hash as a flat list.
local now = redis.call('TIME')
local nowMs = now[1] * 1000 + math.floor(now[2] / 1000)
local hash = redis.call('HGETALL', KEYS[1])
local namespace, run, previous, family, gen, send, take = unpack(ARGV)

if #hash == 0 then
  redis.call('HSET', KEYS[1], 'family', family, 'gen', gen, 'namespace', namespace, 'run', run)
  if send ~= '' then redis.call('HSET', KEYS[1], 'send', send) end
  return { 'clear', nowMs, {} }
end

local held = {}
for i = 1, #hash, 2 do held[hash[i]] = hash[i + 1] end

if held.namespace and held.namespace ~= namespace then return { 'foreign_namespace', nowMs, hash } end
if held.tombstone and (held.family == family or tonumber(held.gen) >= tonumber(gen)) then
  return { 'tombstone', nowMs, hash }
end
local verdict = 'clear'
if tonumber(held.gen) > tonumber(gen) then verdict = 'newer'
elseif take ~= '1' and held.run and held.run ~= run and held.run ~= previous then return { 'foreign_run', nowMs, hash } end
local heldSend = tonumber(held.send or '0')
if take == '1' then send = math.max(heldSend + 1, tonumber(send) or 0)
elseif send ~= '' and tonumber(send) < heldSend then return { 'stale', nowMs, hash } end
redis.call('HSET', KEYS[1], 'namespace', namespace, 'run', run)
if send ~= '' then redis.call('HSET', KEYS[1], 'send', send) end
return { verdict, nowMs, hash }

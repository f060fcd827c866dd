-- Revoke, as far as readers and writers are concerned: from here on no token of this credential is read, and no
-- refresh in flight can bring one back.
-- KEYS: grant, access, status
-- ARGV: family, generation, sealed grant (each '' when the caller does not know), namespace ('' likewise), run,
--       status value, channel, subject of the notice, how long to keep the tombstone in ms, settled ('1': the provider
--       has revoked what the tombstone covers, and it need not be kept), when a caller who knows nothing asked (Redis ms)
-- The tombstone stands on whichever set is newer, the hash's or the caller's: revoke means the credential.
-- Returns: verdict, Redis TIME in ms, then the tombstone as it stands.
local family, gen, grant, namespace, run, status, channel, subject, keepMs, settled, asked = unpack(ARGV)
local now = redis.call('TIME')
local nowMs = now[1] * 1000 + math.floor(now[2] / 1000)
local held = {}
local hash = redis.call('HGETALL', KEYS[1])
for i = 1, #hash, 2 do held[hash[i]] = hash[i + 1] end

if namespace ~= '' and held.namespace and held.namespace ~= namespace then return { 'foreign_namespace', nowMs, hash } end

-- carried out late, by a stalled server or a frozen process: what it was meant for was fenced by another try, or by
-- nobody, and a family that was handed over since is none of its business
if not held.tombstone then
  local fenced = gen ~= '' and held.family ~= family and held.fenced and tonumber(gen) <= tonumber(held.fenced)
  local younger = gen == '' and asked ~= '' and held.born and tonumber(held.born) > tonumber(asked)
  if fenced or younger then return { 'stale', nowMs, hash } end
end

-- nor does it bring back into a tombstone what the provider has revoked since
if held.settled and settled ~= '1' and (gen == '' or tonumber(gen) <= tonumber(held.gen)) then
  return { 'fenced', nowMs, hash }
end

local verdict = 'fenced'
-- the access token is one more to revoke at the provider
local access = redis.call('GET', KEYS[2])
redis.call('DEL', KEYS[2])
if #hash == 0 and gen == '' then
  verdict = 'missing'
else
  if gen ~= '' and tonumber(gen) > tonumber(held.gen or '-1') then
    redis.call('HSET', KEYS[1], 'family', family, 'gen', gen)
    if grant ~= '' then redis.call('HSET', KEYS[1], 'grant', grant) end
  elseif gen ~= '' then
    -- what stands there is as new or newer, its grant included
    if grant ~= '' and held.family == family and not held.grant then redis.call('HSET', KEYS[1], 'grant', grant) end
    if held.family ~= family then verdict = 'newer' end
  end
  if namespace ~= '' then redis.call('HSET', KEYS[1], 'namespace', namespace, 'run', run) end
  if not held.tombstone then redis.call('HSET', KEYS[1], 'tombstone', nowMs) end
  if access then redis.call('HSET', KEYS[1], 'access', access) end
  if settled == '1' then
    redis.call('HDEL', KEYS[1], 'grant', 'access')
    redis.call('HSET', KEYS[1], 'settled', 1)
  else
    redis.call('HDEL', KEYS[1], 'settled')
  end
  redis.call('HDEL', KEYS[1], 'writer', 'began', 'expires', 'refreshExpires', 'refreshEnds')
  redis.call('PEXPIRE', KEYS[1], keepMs)
  gen = redis.call('HGET', KEYS[1], 'gen')
  -- the caller may not have known the generation
  local document = cjson.decode(status)
  document.generation = tonumber(gen)
  redis.call('SET', KEYS[3], cjson.encode(document), 'PX', keepMs)
end
redis.call('PUBLISH', channel, subject .. ' ' .. (gen == '' and '0' or gen))
return { verdict, nowMs, redis.call('HGETALL', KEYS[1]) }

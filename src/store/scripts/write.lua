-- The fenced write: one token set of a credential, for readers and for the next attempt, all or nothing.
-- KEYS: grant, access, status
-- ARGV: family, generation, writer, when its attempt began (Redis ms), access expiry (Redis ms, '' when there is no
--       access token), access value, sealed grant ('': the hash's own stays), seeds, namespace, run, parameters,
--       refresh expiry ('' unknown), status value, channel, subject of the notice, how long ago a new family was handed
--       over in ms ('' for a set that descends from one that stands there), end of the grant that no refresh moves
--       (Redis ms, '' unknown)
-- Returns: verdict, Redis TIME in ms, then the hash as a flat list unless it was written.
local family, gen, writer, began, expires, access, grant, seeds, namespace, run, parameters, refreshExpires, status,
  channel, subject, waited, refreshEnds = unpack(ARGV)
local now = redis.call('TIME')
local nowMs = now[1] * 1000 + math.floor(now[2] / 1000)
local held = {}
local hash = redis.call('HGETALL', KEYS[1])
for i = 1, #hash, 2 do held[hash[i]] = hash[i + 1] end

local heldGen = tonumber(held.gen or '-1')
local newGen = tonumber(gen)
if held.namespace and held.namespace ~= namespace then return { 'foreign_namespace', nowMs, hash } end
if held.tombstone then
  if held.family == family then return { 'tombstone_own', nowMs, hash } end
  if heldGen >= newGen then return { 'tombstone', nowMs, hash } end
  -- a revoke that came after the grant was handed over ends it, whatever its number
  if waited ~= '' and tonumber(held.tombstone) > nowMs - tonumber(waited) then return { 'tombstone', nowMs, hash } end
elseif heldGen > newGen then
  return { 'newer', nowMs, hash }
elseif heldGen == newGen and held.writer then
  if held.writer == writer then return { 'same', nowMs, hash } end
  if held.family == family and tonumber(held.began or '0') < tonumber(began) then return { 'tie', nowMs, hash } end
  return { 'newer', nowMs, hash }
end

if held.tombstone then
  redis.call('DEL', KEYS[1])
  -- for a fence that was sent before this and is carried out after it
  redis.call('HSET', KEYS[1], 'fenced', heldGen)
end
if held.family ~= family then redis.call('HSET', KEYS[1], 'born', nowMs - (tonumber(waited) or 0)) end
-- nothing of another family is taken for this one's
if held.family ~= family then redis.call('HDEL', KEYS[1], 'grant') end
-- a set without an access token leaves that of its family standing, which may still be good
local standing = expires == '' and held.family == family and held.expires or expires
redis.call('HSET', KEYS[1], 'family', family, 'gen', gen, 'writer', writer, 'began', began, 'expires', standing,
  'seeds', seeds, 'namespace', namespace, 'run', run, 'parameters', parameters, 'refreshExpires', refreshExpires,
  'refreshEnds', refreshEnds)
if grant ~= '' then redis.call('HSET', KEYS[1], 'grant', grant) end
if expires ~= '' then redis.call('SET', KEYS[2], access, 'PXAT', expires)
elseif held.family ~= family then redis.call('DEL', KEYS[2]) end
redis.call('SET', KEYS[3], status)
redis.call('PUBLISH', channel, subject .. ' ' .. gen)
return { 'written', nowMs, {} }

-- A change of status that no token set comes with. Refused where the hash has gone on or was fenced: an older
-- workflow must not talk over a newer one.
-- KEYS: grant, status   ARGV: family, generation, status value, namespace
local family, gen, status, namespace = unpack(ARGV)
local held = redis.call('HMGET', KEYS[1], 'family', 'gen', 'tombstone', 'namespace')
if held[4] and held[4] ~= namespace then return 'foreign_namespace' end
if held[3] then return 'tombstone' end
if held[2] and tonumber(held[2]) > tonumber(gen) then return 'newer' end
if held[2] == gen and held[1] ~= family then return 'newer' end
redis.call('SET', KEYS[2], status)
return 'written'

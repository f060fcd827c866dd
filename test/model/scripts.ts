/**
 * src/store/scripts once more, line by line, so that thousands of lives need no server. `scripts.test.ts` proves that
 * each does what the real one does on a real server; a change there that is not made here fails that test.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Keyspace } from './keyspace.ts'

export type Script = (redis: Keyspace, keys: string[], args: string[]) => unknown

const text = (value: string | undefined) => value ?? ''

function begin(redis: Keyspace, [grantKey]: string[], args: string[]): unknown {
  const key = text(grantKey)
  const [namespace, run, previous, family, gen, send, take] = args.map(text)
  const held = redis.fields(key)
  const reply = (verdict: string) => [verdict, redis.nowMs, [...held].flat()]
  const own = (number: string | number) => {
    redis.hset(key, ['namespace', text(namespace)], ['run', text(run)])
    if (number !== '') redis.hset(key, ['send', number])
  }

  if (held.size === 0) {
    redis.hset(key, ['family', text(family)], ['gen', text(gen)])
    own(text(send))
    return reply('clear')
  }
  if (held.has('namespace') && held.get('namespace') !== namespace) return reply('foreign_namespace')
  const heldGen = Number(held.get('gen'))
  if (held.has('tombstone') && (held.get('family') === family || heldGen >= Number(gen))) return reply('tombstone')
  const heldRun = held.get('run')
  const newer = heldGen > Number(gen)
  if (!newer && take !== '1' && heldRun !== undefined && heldRun !== run && heldRun !== previous)
    return reply('foreign_run')
  const heldSend = Number(held.get('send') ?? '0')
  if (take !== '1' && send !== '' && Number(send) < heldSend) return reply('stale')
  own(take === '1' ? Math.max(heldSend + 1, Number(send)) : text(send))
  return reply(newer ? 'newer' : 'clear')
}

function write(redis: Keyspace, [grantKey, accessKey, statusKey]: string[], args: string[]): unknown {
  const key = text(grantKey)
  const given = args.map(text)
  const [family = '', gen = '', writer = '', began = '', expires = '', access = '', grant = '', seeds = ''] = given
  const [namespace = '', run = '', parameters = '', refreshExpires = '', status = '', , , waited = '', ends = ''] =
    given.slice(8)
  const held = redis.fields(key)
  const refused = (verdict: string) => [verdict, redis.nowMs, [...held].flat()]
  const tombstone = held.get('tombstone')
  const heldGen = Number(held.get('gen') ?? '-1')
  const sameFamily = held.get('family') === family

  if (held.has('namespace') && held.get('namespace') !== namespace) return refused('foreign_namespace')
  if (tombstone !== undefined) {
    if (sameFamily) return refused('tombstone_own')
    if (heldGen >= Number(gen)) return refused('tombstone')
    if (waited !== '' && Number(tombstone) > redis.nowMs - Number(waited)) return refused('tombstone')
  } else if (heldGen > Number(gen)) {
    return refused('newer')
  } else if (heldGen === Number(gen) && held.has('writer')) {
    if (held.get('writer') === writer) return refused('same')
    if (sameFamily && Number(held.get('began') ?? '0') < Number(began)) return refused('tie')
    return refused('newer')
  }

  if (tombstone !== undefined) {
    redis.del(key)
    redis.hset(key, ['fenced', heldGen])
  }
  if (!sameFamily) redis.hset(key, ['born', redis.nowMs - Number(waited)])
  if (!sameFamily) redis.hdel(key, 'grant')
  const standing = expires === '' && sameFamily ? text(held.get('expires')) : expires
  redis.hset(key, ['family', family], ['gen', gen], ['writer', writer], ['began', began], ['expires', standing])
  redis.hset(key, ['seeds', seeds], ['namespace', namespace], ['run', run], ['parameters', parameters])
  redis.hset(key, ['refreshExpires', refreshExpires], ['refreshEnds', ends])
  if (grant !== '') redis.hset(key, ['grant', grant])
  if (expires !== '') redis.set(text(accessKey), access, Number(expires))
  else if (!sameFamily) redis.del(text(accessKey))
  redis.set(text(statusKey), status)
  return ['written', redis.nowMs, []]
}

function fence(redis: Keyspace, [grantKey, accessKey, statusKey]: string[], args: string[]): unknown {
  const key = text(grantKey)
  const given = args.map(text)
  const [family = '', gen = '', grant = '', namespace = '', run = '', status = '', , , keepMs = ''] = given
  const [settled = '', asked = ''] = given.slice(9)
  const held = redis.fields(key)
  const reply = (verdict: string) => [verdict, redis.nowMs, [...redis.fields(key)].flat()]
  const sameFamily = held.get('family') === family
  if (namespace !== '' && held.has('namespace') && held.get('namespace') !== namespace)
    return reply('foreign_namespace')

  if (!held.has('tombstone')) {
    const fenced = gen !== '' && !sameFamily && held.has('fenced') && Number(gen) <= Number(held.get('fenced'))
    const younger = gen === '' && asked !== '' && held.has('born') && Number(held.get('born')) > Number(asked)
    if (fenced || younger) return reply('stale')
  }

  if (held.has('settled') && settled !== '1' && (gen === '' || Number(gen) <= Number(held.get('gen'))))
    return reply('fenced')

  const access = redis.get(text(accessKey))
  redis.del(text(accessKey))
  if (held.size === 0 && gen === '') return reply('missing')
  let verdict = 'fenced'
  if (gen !== '' && Number(gen) > Number(held.get('gen') ?? '-1')) {
    redis.hset(key, ['family', family], ['gen', gen])
    if (grant !== '') redis.hset(key, ['grant', grant])
  } else if (gen !== '') {
    if (grant !== '' && sameFamily && !held.has('grant')) redis.hset(key, ['grant', grant])
    if (!sameFamily) verdict = 'newer'
  }
  if (namespace !== '') redis.hset(key, ['namespace', namespace], ['run', run])
  if (!held.has('tombstone')) redis.hset(key, ['tombstone', redis.nowMs])
  if (access !== undefined) redis.hset(key, ['access', access])
  if (settled === '1') {
    redis.hdel(key, 'grant', 'access')
    redis.hset(key, ['settled', 1])
  } else redis.hdel(key, 'settled')
  redis.hdel(key, 'writer', 'began', 'expires', 'refreshExpires', 'refreshEnds')
  redis.expireAt(key, redis.nowMs + Number(keepMs))
  const document = { ...JSON.parse(status), generation: Number(redis.fields(key).get('gen')) }
  redis.set(text(statusKey), JSON.stringify(document), redis.nowMs + Number(keepMs))
  return reply(verdict)
}

function announce(redis: Keyspace, [grantKey, statusKey]: string[], args: string[]): unknown {
  const [family, gen, status, namespace] = args.map(text)
  const held = redis.fields(text(grantKey))
  if (held.has('namespace') && held.get('namespace') !== namespace) return 'foreign_namespace'
  if (held.has('tombstone')) return 'tombstone'
  if (held.has('gen') && Number(held.get('gen')) > Number(gen)) return 'newer'
  if (held.get('gen') === gen && held.get('family') !== family) return 'newer'
  redis.set(text(statusKey), text(status))
  return 'written'
}

export const scripts = { begin, write, fence, announce } satisfies Record<string, Script>

export type ScriptName = keyof typeof scripts

/** Which script a client asks for by its hash. */
export const scriptNames: ReadonlyMap<string, ScriptName> = new Map(
  (Object.keys(scripts) as ScriptName[]).map((name) => {
    const source = readFileSync(new URL(`../../src/store/scripts/${name}.lua`, import.meta.url), 'utf8')
    return [createHash('sha1').update(source).digest('hex'), name]
  }),
)

/**
 * Tokens rotate under a service that makes fifty calls at a time, at an API that takes a token only while it is alive: what
 * is read just before a rotation and used just after it is made good by the one retry after a 401.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from 'redis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { parseNotice } from '../../packages/reader/src/format.ts'
import { parseTokenId, type Referee, type RefereeClient, startReferee, type Visit } from '../referee/index.ts'
import type { ServiceCall } from './calling-service.ts'
import { type Live, startLive } from './stack.ts'

const rotations = 50
const callers = 50
const tokenSeconds = 20
/** what a notice may take to the reader, on a machine that does other things too */
const noticeMs = 1_000

const client = (id: string, refreshEndsAccess: boolean): RefereeClient => ({
  id,
  secrets: [`secret of ${id}`],
  auth: 'client_secret_basic',
  grant: 'single_use',
  tokenSeconds,
  refreshEndsAccess,
  revocation: 'by_token',
})

let referee: Referee
let live: Live
let folder: string
let ends: (() => unknown)[] = []
/** when a notice of a generation was first heard, by credential */
const heard = new Map<string, number[]>()

beforeAll(async () => {
  referee = await startReferee({ clients: [client('keeps', false), client('kills', true)] })
  folder = await mkdtemp(join(tmpdir(), 'perennial-rotations-'))
  const configFile = join(folder, 'clients.yaml')
  await writeFile(configFile, configuration())
  live = await startLive({ tokenSeconds: 600, configFile, users: true })
  const listener = await createClient({ url: live.stack.redisUrl }).connect()
  ends.push(() => listener.destroy())
  await listener.subscribe('perennial:changed:demo', (message) => {
    const { credential = '', generation = 0 } = parseNotice('demo', message) ?? {}
    const times = heard.get(credential) ?? []
    times[generation] ??= Date.now()
    heard.set(credential, times)
  })
}, 180_000)

afterAll(async () => {
  for (const end of ends) await end()
  ends = []
  await live?.stop()
  await referee?.stop()
  if (folder !== undefined) await rm(folder, { recursive: true, force: true })
})

function configuration(): string {
  const { tokenEndpoint, revocationEndpoint, clients } = referee
  const provider = ({ auth, refreshEndsAccess }: RefereeClient) => ({
    tokenEndpoint,
    revocationEndpoint,
    clientAuth: auth,
    rotation: 'single_use',
    oldAccessTokenDies: refreshEndsAccess,
  })
  return stringify({
    providers: Object.fromEntries(clients.map((one) => [one.id, provider(one)])),
    clients: Object.fromEntries(
      clients.map(({ id, secrets }) => [id, { provider: id, clientId: id, clientSecrets: secrets }]),
    ),
  })
}

class Service {
  readonly calls: ServiceCall[] = []
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>

  constructor(credential: string) {
    const script = join(import.meta.dirname, 'calling-service.ts')
    const env = { ...process.env, REDIS_URL: live.readerUrl, READER_KEY: live.readerKey }
    const child = spawn(process.execPath, [script, credential, referee.resource, String(callers)], {
      env,
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#child = child
    // after the last line
    this.#ended = once(child, 'close')
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.calls.push(...(JSON.parse(line) as ServiceCall[]))
    })
    ends.push(() => child.kill('SIGKILL'))
  }

  /** Each caller has, on the whole, made two calls from here on. */
  async goesOn(): Promise<void> {
    const fromMs = Date.now()
    const isEnough = () => this.calls.filter(({ startMs }) => startMs > fromMs).length >= 2 * callers
    while (!isEnough()) {
      if (Date.now() > fromMs + 30_000) throw new Error('the service does not go on')
      await sleep(20)
    }
  }

  async end(): Promise<number | null> {
    this.#child.stdin?.end()
    await this.#ended
    return this.#child.exitCode
  }
}

interface Life {
  credential: string
  calls: ServiceCall[]
  exitCode: number | null
  visits: Map<string, Visit[]>
  /** when the grant was there, and with it a token that nobody asked for at the token endpoint */
  beganMs: number
  revokedMs: number
  /** when the revoke had been told to readers */
  fencedMs: number
  generation: number
}

/** Begins a credential, rotates it under load, and revokes it in the end. */
async function liveThrough(name: string): Promise<Life> {
  const credential = `demo/${name}/alice-${Date.now()}`
  const beganMs = Date.now()
  await live.perennial.connect(credential, { tokenResponse: await referee.consent(credential, name) })
  const service = new Service(credential)
  await service.goesOn()
  for (let rotation = 1; rotation <= rotations; rotation++) {
    // between the end of the old token and the coming of the new one lies the answer's way back
    const holdAnswerMs = (rotation % 4) * 60
    await referee.addFaults({ client: name, fault: { kind: 'slow', holdAnswerMs } })
    await live.perennial.refreshNow(credential)
    await service.goesOn()
  }
  const { generation = 0 } = (await live.perennial.describe(credential)) ?? {}
  const revokedMs = Date.now()
  await live.perennial.revoke(credential)
  const fencedMs = Date.now()
  await sleep(noticeMs)
  await service.goesOn()
  const exitCode = await service.end()
  const visits = Map.groupBy(await referee.visits(), ({ call }) => call)
  return { credential, calls: service.calls, exitCode, visits, beganMs, revokedMs, fencedMs, generation }
}

const providers = [
  { name: 'keeps', does: 'leaves the old access token alive at a refresh' },
  { name: 'kills', does: 'ends the old access token at a refresh' },
]

describe.each(providers)('with a provider that $does', ({ name }) => {
  test('fifty rotations under fifty callers: every call succeeds, within one retry', async () => {
    const life = await liveThrough(name)
    const { credential, calls, visits, revokedMs } = life
    const exchanges = (await referee.requests({ user: credential })).filter(({ endpoint }) => endpoint === 'token')
    // a token is named by its number at the provider, and that is its generation
    const mintedMs = [life.beganMs, life.beganMs, ...exchanges.map(({ committedMs = 0 }) => committedMs)]
    const told = heard.get(credential) ?? []

    const seen = calls.flatMap((call) =>
      (visits.get(call.call) ?? []).map((visit) => {
        const generation = parseTokenId(visit.token ?? '')?.serial ?? 0
        const isExpired = visit.atMs >= (mintedMs[generation] ?? 0) + tokenSeconds * 1_000
        // how long after readers were told of the next one it was still taken for a call
        const afterNoticeMs = call.startMs - (told[generation + 1] ?? Number.POSITIVE_INFINITY)
        return { ...visit, generation, isExpired, afterNoticeMs }
      }),
    )
    const before = calls.filter(({ endMs }) => endMs < revokedMs)
    const retried = before.filter(({ call }) => (visits.get(call)?.length ?? 0) > 1)
    const refused = seen.filter(({ accepted, atMs }) => !accepted && atMs < revokedMs)
    const afterFence = calls.filter(({ startMs }) => startMs > life.fencedMs + noticeMs)
    console.log(
      [
        `${name}:`,
        `calls                       ${before.length}, and ${calls.length - before.length} beside and after the revoke`,
        `generations used            ${new Set(seen.map(({ generation }) => generation)).size}`,
        `tokens refused by the API   ${refused.length}; expired ${seen.filter(({ isExpired }) => isExpired).length}`,
        `calls made good by a retry  ${retried.length}`,
        `latest begin of a call with a replaced token  ${Math.max(...seen.map(({ afterNoticeMs }) => afterNoticeMs))} ms after the notice`,
        `requests at the provider    ${exchanges.length} for ${rotations} rotations`,
      ].join('\n'),
    )

    expect(before.filter(({ outcome }) => outcome !== '200')).toEqual([])
    expect(before.filter(({ call }) => ![1, 2].includes(visits.get(call)?.length ?? 0))).toEqual([])
    expect(seen.filter(({ isExpired }) => isExpired)).toEqual([])
    expect(seen.filter(({ afterNoticeMs }) => afterNoticeMs > noticeMs)).toEqual([])
    // whatever was refused was tried again, once
    expect(refused).toHaveLength(retried.length)
    if (name === 'kills') expect(retried.length).toBeGreaterThan(rotations)
    else expect(retried).toEqual([])
    // the callers' shouting has cost no request
    expect(exchanges.map(({ decision }) => decision)).toEqual(Array.from({ length: rotations }, () => 'granted'))
    expect(life.generation).toBe(rotations + 1)
    expect(new Set(seen.map(({ generation }) => generation)).size).toBe(rotations + 1)
    // a revoke is heard like any other change, and nothing is sent any more
    expect(afterFence.length).toBeGreaterThan(0)
    expect(new Set(afterFence.map(({ outcome }) => outcome))).toEqual(new Set(['credential_revoked']))
    expect(afterFence.filter(({ call }) => visits.has(call))).toEqual([])
    expect(life.exitCode).toBe(0)
  }, 120_000)
})

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually, post, refresh, revoke } from './ask.ts'
import { oneClientPerClass } from './clients.ts'
import { connectReferee, type Referee, startReferee } from './referee.ts'
import { busiest } from './request-log.ts'
import { tokenIdOf } from './tokens.ts'

let referee: Referee

beforeAll(async () => {
  const clients = oneClientPerClass(60, 1)
  const [single] = clients.filter(({ id }) => id === 'single_use')
  if (single === undefined) throw new Error('no client')
  referee = await startReferee({
    clients: [
      ...clients,
      { ...single, id: 'strict', revocation: 'ends_consent' },
      { ...single, id: 'unrevokable', revocation: 'absent' },
      { ...single, id: 'impatient', refreshEndsAccess: true },
    ],
  })
})

afterAll(() => referee.stop())

const alive = async (user: string) => (await referee.alive(user))[0]

describe('a refresh', () => {
  test('none: brings an access token, and the refresh token stays', async () => {
    const { refresh_token } = await referee.consent('none-user', 'none')
    for (let again = 0; again < 2; again++) {
      const { status, tokens } = await refresh(referee, 'none', refresh_token)
      expect(status).toBe(200)
      expect(tokens).toEqual({
        access_token: expect.stringMatching(/^f\d+\.a\d+\../),
        token_type: 'Bearer',
        expires_in: 60,
        scope: 'orders',
      })
    }
    expect(await alive('none-user')).toMatchObject({ accepted: [refresh_token], living: refresh_token })
  })

  test('rotates_old_valid: brings a new one, and the old ones stay', async () => {
    const first = await referee.consent('valid-user', 'rotates_old_valid')
    const second = (await refresh(referee, 'rotates_old_valid', first.refresh_token)).tokens
    const third = (await refresh(referee, 'rotates_old_valid', first.refresh_token)).tokens
    const all = [first, second, third].map(({ refresh_token }) => refresh_token)
    expect(await alive('valid-user')).toMatchObject({ accepted: all, living: third.refresh_token })
  })

  test('grace: the old one is good for a second, and then the end of the family', async () => {
    const first = await referee.consent('grace-user', 'grace')
    expect((await refresh(referee, 'grace', first.refresh_token)).status).toBe(200)
    const second = (await refresh(referee, 'grace', first.refresh_token)).tokens
    expect(second.refresh_token).toBeDefined()
    await sleep(1_050)
    expect(await refresh(referee, 'grace', first.refresh_token)).toMatchObject({ status: 400, error: 'invalid_grant' })
    expect(await refresh(referee, 'grace', second.refresh_token)).toMatchObject({ error: 'invalid_grant' })
    expect(await referee.accessRemainingMs(second.access_token)).toBe(0)
  })

  test('until_new_used: the old one is good until the new one was used; the latest answer lives', async () => {
    const first = await referee.consent('until-user', 'until_new_used')
    const unanswered = (await refresh(referee, 'until_new_used', first.refresh_token)).tokens
    const second = (await refresh(referee, 'until_new_used', first.refresh_token)).tokens
    expect(await refresh(referee, 'until_new_used', unanswered.refresh_token)).toMatchObject({ error: 'invalid_grant' })
    expect((await refresh(referee, 'until_new_used', second.refresh_token)).status).toBe(200)
    expect(await referee.accepts(first.refresh_token ?? '')).toBe(false)
    expect(await referee.accepts(second.refresh_token ?? '')).toBe(true)
  })

  test('single_use: a second use ends the family, living access tokens included, and is flagged', async () => {
    const first = await referee.consent('single-user', 'single_use')
    const second = (await refresh(referee, 'single_use', first.refresh_token)).tokens
    expect(await referee.accessRemainingMs(second.access_token)).toBeGreaterThan(50_000)
    expect(await refresh(referee, 'single_use', first.refresh_token)).toMatchObject({ error: 'invalid_grant' })
    expect(await referee.accessRemainingMs(second.access_token)).toBe(0)
    expect(await alive('single-user')).toBeUndefined()
    const [family] = await referee.families('single-user')
    expect(family?.ended).toEqual({ because: 'reuse', atMs: expect.any(Number) })
    const [granted, reused] = await referee.requests({ user: 'single-user' })
    expect(granted).toMatchObject({ presented: `${family?.id}.r1`, rotated: true, decision: 'granted', status: 200 })
    expect(reused).toMatchObject({
      presented: `${family?.id}.r1`,
      rotated: false,
      decision: 'refused',
      why: 'reuse',
      secondUse: { tooEarly: true },
    })
  })

  test('client_credentials: brings an access token and no refresh token', async () => {
    const question = { clientId: 'client_credentials', form: { grant_type: 'client_credentials' } }
    const { tokens } = await post(referee, referee.tokenEndpoint, question)
    expect(tokens.refresh_token).toBeUndefined()
    expect(await referee.accessRemainingMs(tokens.access_token)).toBeGreaterThan(50_000)
    expect(await referee.requests({ user: 'client_credentials' })).toMatchObject([{ decision: 'granted' }])
  })
})

describe('who asks wrongly is refused as RFC 6749 says, and nothing is spent', () => {
  const form = (more: Record<string, string>) => ({ grant_type: 'refresh_token', ...more })
  const wrong: [string, string, Parameters<typeof post>[2], number][] = [
    ['a wrong secret', 'invalid_client', { clientId: 'single_use', secret: 'nope', form: form({}) }, 401],
    ['an unknown client', 'invalid_client', { clientId: 'nobody', secret: 'x', form: form({}) }, 401],
    [
      'the other way to authenticate',
      'invalid_client',
      { clientId: 'none', auth: 'client_secret_post', form: form({}) },
      401,
    ],
    ['both ways at once', 'invalid_request', { clientId: 'none', form: form({ client_secret: 'x' }) }, 400],
    ['no refresh token', 'invalid_request', { clientId: 'none', form: { grant_type: 'refresh_token' } }, 400],
    ['no grant type', 'invalid_request', { clientId: 'none', form: {} }, 400],
    ['another grant type', 'unsupported_grant_type', { clientId: 'none', form: { grant_type: 'password' } }, 400],
    [
      'a grant of another client',
      'unauthorized_client',
      { clientId: 'none', form: { grant_type: 'client_credentials' } },
      400,
    ],
    [
      'a token nobody minted',
      'invalid_grant',
      { clientId: 'none', form: form({ refresh_token: 'f1.r1.forged' }) },
      400,
    ],
  ]

  test.each(wrong)('%s: %s', async (_, error, question, status) => {
    const { refresh_token = '' } = await referee.consent('wronged', 'none')
    const asked = await post(referee, referee.tokenEndpoint, {
      ...question,
      form: question.form.refresh_token === '' ? { ...question.form, refresh_token } : question.form,
    })
    expect(asked).toMatchObject({ status, error })
    expect(await referee.accepts(refresh_token)).toBe(true)
  })

  test('a token of another client', async () => {
    const { refresh_token = '' } = await referee.consent('wronged', 'until_new_used')
    expect(await refresh(referee, 'single_use', refresh_token)).toMatchObject({ status: 400, error: 'invalid_grant' })
    expect(await referee.accepts(refresh_token)).toBe(true)
  })

  test('a secret that was changed, until it is changed back', async () => {
    const { refresh_token = '' } = await referee.consent('wronged', 'none')
    const [right = ''] = referee.clients.find(({ id }) => id === 'none')?.secrets ?? []
    await referee.setSecrets('none', ['another'])
    expect(await refresh(referee, 'none', refresh_token)).toMatchObject({ error: 'invalid_client' })
    await referee.setSecrets('none', ['another', right])
    expect((await refresh(referee, 'none', refresh_token)).status).toBe(200)
  })
})

describe('a revocation', () => {
  test('of a refresh token ends its family, of an access token that token', async () => {
    const tokens = await referee.consent('revoker', 'single_use')
    expect((await revoke(referee, 'single_use', tokens.access_token)).status).toBe(200)
    expect(await referee.accessRemainingMs(tokens.access_token)).toBe(0)
    expect(await referee.accepts(tokens.refresh_token ?? '')).toBe(true)
    expect((await revoke(referee, 'single_use', tokens.refresh_token)).status).toBe(200)
    expect(await referee.accepts(tokens.refresh_token ?? '')).toBe(false)
    expect((await referee.requests({ user: 'revoker' })).map(({ decision }) => decision)).toEqual([
      'revoked',
      'revoked',
    ])
  })

  test('of a token that is unknown, or dead already, is answered 200 and recorded', async () => {
    const afterId = (await referee.requests()).at(-1)?.id ?? 0
    expect((await revoke(referee, 'none', 'whatever')).status).toBe(200)
    expect(await referee.requests({ afterId })).toMatchObject([{ endpoint: 'revoke', decision: 'nothing_revoked' }])
  })

  test('can end the whole consent', async () => {
    const [one, two] = [await referee.consent('strict-user', 'strict'), await referee.consent('strict-user', 'strict')]
    await revoke(referee, 'strict', one.access_token)
    expect(await referee.accepts(one.refresh_token ?? '')).toBe(false)
    expect(await referee.accepts(two.refresh_token ?? '')).toBe(false)
  })

  test('needs the client to prove itself, and an endpoint', async () => {
    const { refresh_token = '' } = await referee.consent('u', 'single_use')
    const question = { clientId: 'single_use', secret: 'nope', form: { token: refresh_token } }
    expect(await post(referee, referee.revocationEndpoint, question)).toMatchObject({ error: 'invalid_client' })
    expect(await referee.accepts(refresh_token)).toBe(true)
    expect((await revoke(referee, 'unrevokable', refresh_token)).status).toBe(404)
  })

  test('can be answered 200 and revoke nothing, or 503, as long as that was asked for', async () => {
    const { refresh_token = '' } = await referee.consent('liar', 'single_use')
    const body = { status: 503, body: 'later' }
    await referee.addFaults(
      { endpoint: 'revoke', user: 'liar', fault: { kind: 'revokes_nothing' } },
      { endpoint: 'revoke', user: 'liar', fault: { kind: 'answer', answer: body, commit: false } },
    )
    expect((await revoke(referee, 'single_use', refresh_token)).status).toBe(200)
    expect((await revoke(referee, 'single_use', refresh_token)).status).toBe(503)
    expect(await referee.accepts(refresh_token)).toBe(true)
    await revoke(referee, 'single_use', refresh_token)
    expect(await referee.accepts(refresh_token)).toBe(false)
  })
})

describe('the API', () => {
  const call = async (token: string, name: string) => {
    const headers = { authorization: `Bearer ${token}`, 'x-call': name }
    return (await fetch(referee.resource, { headers })).status
  }

  test.each([
    ['single_use', 200],
    ['impatient', 401],
  ])('takes the token before the last of client %s: %i', async (client, status) => {
    const first = await referee.consent(`${client}-caller`, client)
    expect(await call(first.access_token, client)).toBe(200)
    const second = (await refresh(referee, client, first.refresh_token)).tokens
    expect(await call(first.access_token, client)).toBe(status)
    expect(await call(second.access_token, client)).toBe(200)
    const visits = (await referee.visits()).filter((visit) => visit.call === client)
    const ids = [first, first, second].map(({ access_token }) => tokenIdOf(access_token))
    expect(visits.map(({ token, accepted }) => [token, accepted])).toEqual(
      ids.map((id, index) => [id, index !== 1 || status === 200]),
    )
  })

  test('takes no refresh token, and none that it does not know', async () => {
    const { refresh_token = '' } = await referee.consent('odd-caller', 'single_use')
    for (const token of [refresh_token, 'f1.a1.x', '']) expect(await call(token, 'odd')).toBe(401)
  })
})

test('a user who withdraws the consent is refused, and is no loss', async () => {
  const { refresh_token } = await referee.consent('leaver', 'single_use')
  expect(await referee.endConsent('leaver')).toBe(1)
  expect(await refresh(referee, 'single_use', refresh_token)).toMatchObject({ error: 'invalid_grant' })
  expect(await referee.losses({ leaver: refresh_token })).toEqual([])
})

test('the admin side answers nobody without its secret, from any process with it', async () => {
  const address = { adminUrl: referee.adminUrl, adminSecret: 'guess' }
  await expect(connectReferee(address).alive()).rejects.toThrow('admin secret')
  const elsewhere = connectReferee({ adminUrl: referee.adminUrl, adminSecret: referee.adminSecret })
  const { refresh_token = '' } = await elsewhere.consent('remote', 'none')
  expect(await referee.accepts(refresh_token)).toBe(true)
})

test('the referee is a process of its own, gone when it is told to, its secrets in no argument', async () => {
  const other = await startReferee()
  expect(other.pid).not.toBe(process.pid)
  expect(await readFile(`/proc/${other.pid}/cmdline`, 'utf8')).not.toContain(other.adminSecret)
  await other.stop()
  expect(() => process.kill(other.pid, 0)).toThrow()
})

test('a referee ends with the process that started it, however that one dies', async () => {
  const script = `import { startReferee } from '${join(import.meta.dirname, 'referee.ts')}'
    console.log((await startReferee()).pid)`
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [chunk] = await once(parent.stdout, 'data')
  const pid = Number(String(chunk))
  expect(process.kill(pid, 0)).toBe(true)
  parent.kill('SIGKILL')
  await eventually(async () => {
    // an ended process that nobody has waited for still has a pid
    const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => 'gone) Z')
    return state.includes(') Z') ? true : undefined
  })
})

/** Processor time that a process has used: utime and stime of proc(5), in ticks of 10 ms. */
async function cpuMs(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10
}

test('asked 500 times a second it grants every request, counts each, and sees every answer arrive', async () => {
  const perSecond = 500
  const rounds = 3
  const other = await startReferee()
  const users = Array.from({ length: perSecond }, (_, index) => `crowd-${index}`)
  const tokens = new Map<string, string | undefined>()
  for (const user of users) tokens.set(user, (await other.consent(user, 'single_use')).refresh_token)
  const idleMs = await cpuMs(other.pid)
  const beganMs = performance.now()
  const dueMs = (place: number) => Math.max(0, beganMs + (place * 1_000) / perSecond - performance.now())
  await Promise.all(
    users.map(async (user, index) => {
      for (let round = 0; round < rounds; round++) {
        await sleep(dueMs(round * perSecond + index))
        const answer = await refresh(other, 'single_use', tokens.get(user))
        expect(answer.status).toBe(200)
        tokens.set(user, answer.tokens.refresh_token)
      }
    }),
  )
  const usedMs = (await cpuMs(other.pid)) - idleMs
  const asked = perSecond * rounds
  const requests = await eventually(async () => {
    const all = await other.requests()
    return all.every(({ delivery }) => delivery !== 'pending') ? all : undefined
  })
  expect(requests).toHaveLength(asked)
  expect(new Set(requests.map(({ delivery }) => delivery))).toEqual(new Set(['complete']))
  expect(requests.flatMap(({ overlaps }) => overlaps)).toEqual([])
  expect(await other.losses(Object.fromEntries(tokens))).toEqual([])
  const buckets = (await other.rates()).single_use ?? []
  await other.stop()
  expect(buckets.reduce((sum, { token }) => sum + token, 0)).toBe(asked)
  expect(busiest(buckets, 60)).toBe(asked)
  expect(busiest(buckets, 1)).toBe(Math.max(...buckets.map(({ token }) => token)))
  // what it may use of a core at that rate; how fast the answers come also depends on who else is on this machine
  expect(usedMs / asked).toBeLessThan(1_000 / perSecond)
})

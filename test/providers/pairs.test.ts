import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { open, sealingKey } from '../../packages/reader/src/sealed.ts'
import { makeSeed } from '../../src/client/seed.ts'
import type { Config } from '../../src/config.ts'
import { createTokenEndpoint, type TokenEndpoint } from '../../src/oauth/index.ts'
import type { Refreshed } from '../../src/workflows/messages.ts'
import { another, failureOf, readAccess, refreshOf, type Setting, startSetting } from '../activities/setting.ts'
import { grantKey, head, load } from '../config-fixture.ts'

/** An installation with a pair of the bot and one of the user (Slack), through the real activities. */

const key = sealingKey(grantKey)

let setting: Setting
let vendor: Server
let tokenEndpoint: TokenEndpoint
let config: Config
let activities: Setting['activities']
/** refresh tokens that work, each once, with the kind of their pair */
const living = new Map([
  ['rt-secret-bot-1', 'bot'],
  ['rt-secret-user-1', 'user'],
])
const sent: string[] = []

beforeAll(async () => {
  setting = await startSetting()
  tokenEndpoint = createTokenEndpoint()
  vendor = createServer(async (request, response) => {
    const token = new URLSearchParams(await text(request)).get('refresh_token') ?? ''
    const kind = living.get(token)
    sent.push(token)
    living.delete(token)
    const next = token.replace(/\d$/, (number) => `${Number(number) + 1}`)
    if (kind !== undefined) living.set(next, kind)
    const pair = { access_token: next.replace('rt-', 'at-'), refresh_token: next, token_type: kind, expires_in: 43_200 }
    const body = kind === undefined ? { ok: false, error: 'invalid_refresh_token' } : { ok: true, ...pair }
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => vendor.listen(0, '127.0.0.1', resolve))
  config = await load(`${head}
clients:
  slack: { provider: slack, clientId: abc, clientSecrets: [{ env: SECRET }] }
  slack-user: { provider: slack, variant: user, clientId: abc, clientSecrets: [{ env: SECRET }] }
providers:
  slack: { tokenEndpoint: 'http://127.0.0.1:${(vendor.address() as AddressInfo).port}/api/oauth.v2.access' }
`)
  activities = another(setting, { tokenEndpoint, config, keyring: { ...setting.keyring, grant: [key] } })
})
afterAll(async () => {
  await tokenEndpoint.close()
  await new Promise((resolve) => vendor.close(resolve))
  await setting.stop()
})

const pairOf = (kind: string) => ({
  access_token: `at-secret-${kind}-1`,
  refresh_token: `rt-secret-${kind}-1`,
  expires_in: 43_200,
  token_type: kind,
})
const installation = { ok: true, ...pairOf('bot'), authed_user: { id: 'U1', ...pairOf('user') } }

test('one answer begins a credential for each pair, and each lives and dies by itself', async () => {
  const [bot, user] = ['acme/slack/T1', 'acme/slack-user/U1'] as const
  const [ofBot, ofUser] = [await begin(bot), await begin(user)]
  expect((await readAccess(setting, bot))?.document.access_token).toBe('at-secret-bot-1')
  expect((await readAccess(setting, user))?.document.access_token).toBe('at-secret-user-1')

  const next = await activities.refresh(after(bot, ofBot))
  expect(held(next, bot)).toEqual({ refresh_token: 'rt-secret-bot-2' })
  expect(held(await activities.refresh(after(user, ofUser)), user)).toEqual({ refresh_token: 'rt-secret-user-2' })
  expect(sent).toEqual(['rt-secret-bot-1', 'rt-secret-user-1'])

  living.delete('rt-secret-bot-2')
  await failureOf(setting, activities.refresh(after(bot, next)), 'GrantRefused')
  expect((await readAccess(setting, user))?.document).toMatchObject({ access_token: 'at-secret-user-2' })
})

test('an answer without the pair of a client is refused, not taken for that of the other', () => {
  const beginAs = (client: string, tokenResponse: object) => () =>
    makeSeed(config, `acme/${client}/x`, { tokenResponse })
  expect(beginAs('slack-user', { ok: true, ...pairOf('bot'), authed_user: { id: 'U1' } })).toThrow('is user')
  expect(beginAs('slack', { ok: true, authed_user: { id: 'U1', ...pairOf('user') } })).toThrow('is bot')
})

async function begin(credential: string): Promise<Refreshed> {
  const seed = makeSeed(config, credential, { tokenResponse: installation })
  const claimed = await activities.claim({
    credential,
    kind: 'refresh_token',
    seed,
    atLeastGeneration: 1,
    seeds: [],
    accessLivesMs: 43_200_000,
  })
  if (!('generation' in claimed)) throw new Error('not claimed')
  return claimed
}

const held = ({ grant = '' }: Refreshed, cred: string) => JSON.parse(open(grant, [key], { cred }).plaintext) as object

const after = (credential: string, { family, generation, grant = '' }: Refreshed) =>
  refreshOf(credential, { family, generation, grant })

import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type RunningServer, runChild } from '../../src/dev/child.ts'
import { type DemoAdmin, demoAdmin, invalidClient, type TokenResponse, unavailable } from '../../src/dev/demo/admin.ts'
import type { DemoSettings } from '../../src/dev/demo/settings.ts'
import { freePort } from '../../src/dev/ports.ts'

let folder: string
let settings: DemoSettings
let server: RunningServer
let admin: DemoAdmin

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perennial-demo-'))
  settings = {
    port: await freePort(),
    adminSecret: 'let-me-in',
    journalFile: join(folder, 'grants.jsonl'),
    tokenSeconds: 30,
    clients: [
      { id: 'orchard', secret: 'apple/pie', grant: 'refresh_token' },
      { id: 'orchard-m2m', secret: 'cider', grant: 'client_credentials' },
    ],
  }
  await start()
})

afterEach(async () => {
  await server.stop()
  await rm(folder, { recursive: true })
})

async function start(): Promise<void> {
  const file = join(folder, 'demo.json')
  await writeFile(file, JSON.stringify(settings))
  const logFile = join(folder, 'demo.log')
  const args = [join(import.meta.dirname, '../../src/dev/demo/server.ts'), file]
  server = await runChild({ command: process.execPath, args, logFile })
  admin = demoAdmin(settings)
  const answers = () => admin.record().then(() => true)
  for (let i = 0; i < 200 && !(await answers().catch(() => false)); i++) await sleep(50)
}

async function token(parameters: Record<string, string>, client = 'orchard', path = 'token') {
  const secret = settings.clients.find(({ id }) => id === client)?.secret ?? ''
  const login = Buffer.from(`${client}:${encodeURIComponent(secret)}`).toString('base64')
  const response = await fetch(`http://127.0.0.1:${settings.port}/${path}`, {
    method: 'POST',
    headers: { authorization: `Basic ${login}` },
    body: new URLSearchParams(parameters),
  })
  const text = await response.text()
  return { status: response.status, ...(text === '' ? {} : JSON.parse(text)) }
}

const refresh = (refresh_token: string): Promise<TokenResponse & { status: number; error?: string }> =>
  token({ grant_type: 'refresh_token', refresh_token })

test('a minted grant refreshes again and again, with a new refresh token each time', async () => {
  const minted = await admin.mintGrant('plum', 'orchard')
  expect(minted).toMatchObject({ token_type: 'Bearer', expires_in: 30 })
  const second = await refresh(minted.refresh_token)
  expect(second).toMatchObject({ status: 200, expires_in: 30, token_type: 'Bearer' })
  const third = await refresh(second.refresh_token)
  expect(third.status).toBe(200)
  expect(new Set([minted.refresh_token, second.refresh_token, third.refresh_token]).size).toBe(3)
})

test('a second use of a refresh token ends the whole grant, also when a kill -9 came in between', async () => {
  const minted = await admin.mintGrant('plum', 'orchard')
  const second = await refresh(minted.refresh_token)
  process.kill(server.pid, 'SIGKILL')
  await server.exited
  await start()
  expect(await refresh(minted.refresh_token)).toMatchObject({ status: 400, error: 'invalid_grant' })
  expect(await refresh(second.refresh_token)).toMatchObject({ status: 400, error: 'invalid_grant' })
})

test('whatever was answered survives a kill -9 right after the answer', async () => {
  let tokens = await admin.mintGrant('plum', 'orchard')
  for (let round = 0; round < 3; round++) {
    tokens = await refresh(tokens.refresh_token)
    process.kill(server.pid, 'SIGKILL')
    await server.exited
    await start()
    expect((await admin.record()).alive).toEqual({ plum: [tokens.refresh_token] })
  }
  expect((await refresh(tokens.refresh_token)).status).toBe(200)
})

test('the record shows an answer that was cut after the refresh token had been rotated', async () => {
  const minted = await admin.mintGrant('plum', 'orchard')
  await admin.setFaults({ holdAnswerMs: 1_000 })
  const port = settings.port
  const login = Buffer.from('orchard:apple%2Fpie').toString('base64')
  const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: minted.refresh_token })
  const signal = AbortSignal.timeout(400)
  const request = { method: 'POST', headers: { authorization: `Basic ${login}` }, body, signal }
  await expect(fetch(`http://127.0.0.1:${port}/token`, request)).rejects.toThrow('timeout')
  await sleep(1_000)
  const { alive, exchanges } = await admin.record()
  expect(exchanges).toMatchObject([{ subject: 'plum', presented: minted.refresh_token, status: 200, delivered: false }])
  expect(alive.plum).toEqual([exchanges[0]?.refreshToken])
})

test('client_credentials, introspection and revocation work', async () => {
  const service = await token({ grant_type: 'client_credentials' }, 'orchard-m2m')
  expect(service).toMatchObject({ status: 200, expires_in: 30 })
  const minted = await admin.mintGrant('plum', 'orchard')
  const introspect = () => token({ token: minted.access_token }, 'orchard', 'token/introspection')
  expect(await introspect()).toMatchObject({ active: true, sub: 'plum' })
  expect((await token({ token: minted.refresh_token }, 'orchard', 'token/revocation')).status).toBe(200)
  expect(await introspect()).toMatchObject({ active: false })
  expect(await refresh(minted.refresh_token)).toMatchObject({ error: 'invalid_grant' })
})

test('faults hit the client that they name until they are lifted, and spend no refresh token', async () => {
  const minted = await admin.mintGrant('plum', 'orchard')
  await admin.setFaults({ client: 'orchard', answer: unavailable })
  expect(await refresh(minted.refresh_token)).toMatchObject({ status: 503, error: 'temporarily_unavailable' })
  expect((await token({ grant_type: 'client_credentials' }, 'orchard-m2m')).status).toBe(200)
  await admin.setFaults({ answer: invalidClient })
  expect(await refresh(minted.refresh_token)).toMatchObject({ status: 401, error: 'invalid_client' })
  expect((await token({ grant_type: 'client_credentials' }, 'orchard-m2m')).status).toBe(401)
  await admin.setFaults()
  expect((await refresh(minted.refresh_token)).status).toBe(200)
})

test('one user can be cut off while the others go on', async () => {
  const plum = await admin.mintGrant('plum', 'orchard')
  const fig = await admin.mintGrant('fig', 'orchard')
  await admin.revokeSubject('plum')
  expect(await refresh(plum.refresh_token)).toMatchObject({ error: 'invalid_grant' })
  expect((await refresh(fig.refresh_token)).status).toBe(200)
})

test('the admin side refuses whoever lacks its secret, and no token is logged', async () => {
  const stranger = demoAdmin({ ...settings, adminSecret: 'let-me-no' })
  await expect(stranger.mintGrant('plum', 'orchard')).rejects.toMatchObject({ code: 'demo_refused' })
  const minted = await admin.mintGrant('plum', 'orchard')
  const second = await refresh(minted.refresh_token)
  const log = join(folder, 'demo.log')
  expect(existsSync(log)).toBe(true)
  const text = await readFile(log, 'utf8')
  for (const secret of [minted.refresh_token, second.access_token, 'let-me-in']) expect(text).not.toContain(secret)
})

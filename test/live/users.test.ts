import { createClient } from 'redis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { invalidClient } from '../../src/dev/demo/admin.ts'
import { type Live, startLive, until } from './stack.ts'

/**
 * Everything that Perennial does, by a worker and a command line that are the user `worker` in Redis, and a service that is
 * `reader-demo`: neither is ever refused anything.
 */
let live: Live
let admin: ReturnType<typeof createClient>

beforeAll(async () => {
  live = await startLive({ tokenSeconds: 60, users: true })
  admin = createClient({ url: live.stack.redisUrl })
  await admin.connect()
  await admin.sendCommand(['ACL', 'LOG', 'RESET'])
}, 120_000)

afterAll(async () => {
  admin?.destroy()
  await live?.stop()
})

const viewOf = (credential: string) => live.perennial.describe(credential)
const reaches = (credential: string, status: string, generation = 0) =>
  until(
    `${credential} is ${status}`,
    () => viewOf(credential),
    (view) => view?.status === status && (view.generation ?? 0) >= generation,
    60_000,
  )
const json = async (...args: string[]) => {
  const { code, stdout } = await live.cli(...args, '--json')
  expect({ args, code }).toEqual({ args, code: 0 })
  return stdout
}

describe('with the users of perennial acl', () => {
  test('the worker and the service are who they should be', async () => {
    for (const name of ['perennial-worker', 'perennial-rejections'])
      await until(
        `${name} is the user worker`,
        async () => String(await admin.sendCommand(['CLIENT', 'LIST'])).split('\n'),
        (lines) => lines.some((line) => line.includes(`name=${name} `) && line.includes('user=worker ')),
      )
  })

  test('a credential begins, is refreshed, read, listed, reconnected and revoked', async () => {
    const credential = await live.begin('apple')
    expect(await live.perennial.refreshNow(credential)).toMatchObject({ generation: 2 })
    expect(await live.reader.get(credential)).toMatchObject({ generation: 2 })
    expect(await json('token', credential)).toContain('"generation":2')
    expect(await json('show', credential)).toContain('"status":"active"')
    expect(await json('list', '--tenant', 'demo')).toContain(credential)
    await live.perennial.reconnect(credential, { tokenResponse: await live.demo.mintGrant('apple', 'orchard') })
    expect(await live.events(credential)).toContainEqual(expect.objectContaining({ event: 'connected' }))
    await json('revoke', credential, '--yes')
    await expect(live.reader.get(credential)).rejects.toMatchObject({ code: 'credential_revoked' })
  }, 60_000)

  test('a refused client is told of, tried and well again', async () => {
    const credential = await live.begin('pear')
    await live.demo.setFaults({ answer: invalidClient })
    await live.perennial.refreshNow(credential).catch(() => {})
    await reaches(credential, 'misconfigured')
    await live.demo.setFaults()
    expect(await live.perennial.refreshNow(credential)).toMatchObject({ status: 'active' })
    await until(
      'operators know of both',
      () => live.events(),
      (events) => ['misconfigured', 'recovered'].every((name) => events.some(({ event }) => event === name)),
    )
  }, 60_000)

  test('a lost answer is looked after: at risk, settled, and replayed when a reader rejects the token', async () => {
    const credential = await live.begin('quince')
    await live.demo.setFaults({ answer: { status: 500, body: '' } })
    await live.perennial.refreshNow(credential).catch(() => {})
    await reaches(credential, 'at_risk')
    await live.demo.setFaults()
    const service = await createClient({ url: live.readerUrl, disableClientInfo: true }).connect()
    await service.publish('perennial:rejected:demo', 'orchard/quince 1')
    service.destroy()
    const beganMs = performance.now()
    await reaches(credential, 'active', 2)
    // the replay was not kept for the last ten seconds of the first token, which lived for a minute
    expect(performance.now() - beganMs).toBeLessThan(10_000)
  }, 60_000)

  test('a Redis that was emptied is filled again, by the workers and by resync', async () => {
    const credential = await live.begin('plum')
    await admin.flushAll()
    await json('resync')
    await until(
      'readers have a token again',
      () => live.reader.get(credential),
      ({ generation }) => generation >= 1,
      60_000,
    )
    await until(
      'the workers have marked what was compared',
      () => admin.get('perennial:epoch'),
      (mark) => mark !== null,
      60_000,
    )
  }, 120_000)

  test('what Temporal has lost is restored, and many are imported', async () => {
    const credential = await live.begin('fig')
    await live.temporal.workflow.getHandle(`credential/${credential}`).terminate('lost')
    expect(await json('restore', '--tenant', 'demo')).toContain(`"credential":"${credential}","outcome":"restored"`)
    const { access_token: _, ...grant } = (await live.demo.mintGrant('medlar', 'orchard')) as unknown as Record<
      string,
      string
    >
    const imported: unknown[] = []
    const line = `${JSON.stringify({ credential: 'demo/orchard/medlar', ...grant })}\n`
    for await (const one of live.perennial.import(lines(line))) imported.push(one)
    expect(imported).toEqual([expect.objectContaining({ outcome: 'started' })])
    await reaches('demo/orchard/medlar', 'active', 1)
  }, 60_000)

  test('the server has refused nobody anything', async () => {
    expect(await admin.sendCommand(['ACL', 'LOG'])).toEqual([])
  })
})

async function* lines(text: string) {
  yield Buffer.from(text)
}

import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '@temporalio/client'
import { createClient } from 'redis'
import { createReader, type Reader } from '../../packages/reader/src/index.ts'
import { readerKey, readerKeyText, sealingKey } from '../../packages/reader/src/sealed.ts'
import { openTemporal } from '../../src/client/temporal.ts'
import { Perennial } from '../../src/client.ts'
import { type Config, loadConfig } from '../../src/config.ts'
import type { DemoAdmin } from '../../src/dev/demo/admin.ts'
import { type Stack, startStack } from '../../src/dev/stack.ts'

const root = join(import.meta.dirname, '..', '..')

/** A stack of real servers with a worker, as `perennial dev --demo` makes it, in a folder of its own. */
export interface Live {
  stack: Stack
  demo: DemoAdmin
  config: Config
  perennial: Perennial
  temporal: Client
  reader: Reader
  /** what services of the tenant `demo` get */
  readerUrl: string
  readerKey: string
  /** begins a credential of the demo's provider, with a grant of a user who consented */
  begin(subject: string): Promise<string>
  /** what operators were told, oldest first, of one credential or of all */
  events(credential?: string): Promise<Record<string, string>[]>
  /** runs a command as a person would, from the checkout */
  cli(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }>
  /** the pid of a child */
  pid(child: 'temporal' | 'redis' | 'demo' | 'worker'): Promise<number>
  stop(): Promise<void>
}

/**
 * @param options `configFile`: clients and providers of the test's own, beside those of the demo. `users`: everything but
 * `stack.redisUrl` goes by the users that perennial acl prints; a Redis that is started again has forgotten them.
 */
export async function startLive(options: {
  tokenSeconds: number
  configFile?: string
  users?: boolean
}): Promise<Live> {
  const dataDir = await mkdtemp(join(tmpdir(), 'perennial-live-'))
  const stack = await startStack({
    dataDir,
    demo: { tokenSeconds: options.tokenSeconds },
    ...(options.configFile === undefined ? {} : { configFile: options.configFile }),
    worker: (file) => ({
      command: process.execPath,
      args: [join(root, 'bin/perennial.js'), 'worker', '--config', file],
    }),
    say: () => {},
  })
  const { demo } = stack
  if (demo === undefined) throw new Error('the stack has no authorization server')
  const readerUrl = options.users ? await makeUsers(stack) : stack.redisUrl
  await stack.startWorker()
  process.env.TEMPORAL_CONFIG_FILE = stack.temporalProfile
  const config = await loadConfig(stack.configFile)
  const perennial = await Perennial.open(config)
  const { client: temporal } = openTemporal()
  const key = readerKeyText(readerKey(sealingKey(config.keys.reader[0]), 'demo'))
  // nothing in memory: tests ask what stands in Redis
  const reader = createReader({ redis: readerUrl, keys: [key], maxEntries: 0 })
  return {
    stack,
    demo,
    config,
    perennial,
    temporal,
    reader,
    readerUrl,
    readerKey: key,
    begin: async (subject) => {
      const credential = `demo/orchard/${subject}`
      // not start: a test that is tried again finds what its first try began
      await perennial.connect(credential, { tokenResponse: await demo.mintGrant(subject, 'orchard') })
      return credential
    },
    events: async (credential) => {
      const redis = await createClient({ url: stack.redisUrl }).connect()
      try {
        const entries = ((await redis.xRange('perennial:events', '-', '+')) ?? []).map(({ message }) => ({
          ...message,
        }))
        return entries.filter((event) => credential === undefined || event.credential === credential)
      } finally {
        redis.destroy()
      }
    },
    cli: (...args) => run([...args, '--data', dataDir]),
    pid: async (child) => {
      const state = JSON.parse(await readFile(join(dataDir, 'stack.json'), 'utf8')) as {
        children: Record<string, { pid: number }>
      }
      return state.children[child]?.pid ?? Number.NaN
    },
    stop: async () => {
      await reader.close()
      await perennial.close()
      await temporal.connection.close()
      await stack.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

/** @returns the address for services of the tenant `demo` */
async function makeUsers(stack: Stack): Promise<string> {
  const login = (username: string, password: string) =>
    Object.assign(new URL(stack.redisUrl), { username, password }).href
  await writeFile(join(stack.dataDir, 'secrets/redis-url'), login('worker', 'worker-password'))
  const { stdout } = await run(['acl', '--tenant', 'demo', '--data', stack.dataDir])
  const admin = await createClient({ url: stack.redisUrl }).connect()
  for (const line of stdout.trim().split('\n')) await admin.sendCommand(line.split(' '))
  await admin.sendCommand(['ACL', 'SETUSER', 'reader-demo', '>reader-password'])
  admin.destroy()
  return login('reader-demo', 'reader-password')
}

function run(args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(root, 'bin/perennial.js'), ...args],
      { cwd: tmpdir() },
      (error, stdout, stderr) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : 1, stdout, stderr })
      },
    )
  })
}

/** Asks until the answer fits, and returns it; the last answer is in the error. */
export async function until<T>(
  what: string,
  ask: () => Promise<T>,
  fits: (answer: T) => boolean,
  withinMs = 30_000,
): Promise<T> {
  const endMs = performance.now() + withinMs
  for (;;) {
    const answer = await ask().catch((error: unknown) => error as T)
    if (!(answer instanceof Error) && fits(answer)) return answer
    if (performance.now() > endMs) {
      const last = answer instanceof Error ? answer.message : JSON.stringify(answer)
      throw new Error(`not within ${withinMs} ms: ${what}; last: ${last}`)
    }
    await sleep(200)
  }
}

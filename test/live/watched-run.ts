import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import type { Client } from '@temporalio/client'
import { createClient } from 'redis'
import { openTemporal } from '../../src/client/temporal.ts'
import { Perennial } from '../../src/client.ts'
import { loadConfig } from '../../src/config.ts'
import { type DemoAdmin, demoAdmin } from '../../src/dev/demo/admin.ts'
import { FamilyWatch } from './family-watch.ts'
import type { Secret } from './secret-search.ts'
import { until } from './stack.ts'
import { secretsOfStack } from './stack-secrets.ts'
import { textsIn } from './texts.ts'

const bin = join(import.meta.dirname, '../../bin/perennial.js')

/** Where secrets live: the only places in the data folder that are not searched. */
const homes = /^(?:secrets\/.*|demo\.json|demo-grants\.jsonl|redis\/redis\.conf)(?:\.new)?$/

const redisClient = (url: string) => createClient({ url })
type RedisClient = ReturnType<typeof redisClient>

export interface CommandEnd {
  code: number | null
  stdout: string
  stderr: string
}

/** `perennial dev --demo`, as a person would start it, of which everything is kept that anybody could read. */
export class WatchedRun {
  readonly dataDir: string
  readonly perennial: Perennial
  readonly demo: DemoAdmin
  readonly temporal: Client
  readonly redisUrl: string
  readonly #metricsAddress: string
  readonly #dev: ChildProcess
  readonly #family = new FamilyWatch(process.pid)
  readonly #kept: Map<string, string[]>
  readonly #secrets = new Map<string, Secret>()
  readonly #listener: RedisClient
  #stopped: Promise<void> | undefined

  /** @param configFile clients and providers of the test's own, beside those of the demo */
  static async start(tokenSeconds: number, configFile: string): Promise<WatchedRun> {
    const dataDir = await mkdtemp(join(tmpdir(), 'perennial-secrets-'))
    const options = ['--token-seconds', String(tokenSeconds), '--config', configFile, '--data', dataDir]
    const args = [bin, 'dev', '--demo', '1', ...options]
    const dev = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    const kept = new Map<string, string[]>([['dev output', []]])
    for (const stream of [dev.stdout, dev.stderr])
      stream.on('data', (data) => kept.get('dev output')?.push(data.toString('latin1')))
    try {
      const output = async () => kept.get('dev output')?.join('') ?? ''
      await until('the first table', output, (text) => /demo\/orchard-m2m\/service +active/.test(text), 60_000)
      process.env.TEMPORAL_CONFIG_FILE = join(dataDir, 'temporal.toml')
      const config = await loadConfig(join(dataDir, 'perennial.yaml'))
      const perennial = await Perennial.open(config)
      const { prometheus: metricsAddress = '' } = config.metrics
      const redisUrl = await readFile(join(dataDir, 'secrets/redis-url'), 'utf8')
      return new WatchedRun({ dataDir, dev, kept, perennial, redisUrl, metricsAddress })
    } catch (error) {
      dev.kill('SIGINT')
      throw error
    }
  }

  private constructor(parts: {
    dataDir: string
    dev: ChildProcess
    kept: Map<string, string[]>
    perennial: Perennial
    redisUrl: string
    metricsAddress: string
  }) {
    this.dataDir = parts.dataDir
    this.perennial = parts.perennial
    this.redisUrl = parts.redisUrl
    this.#metricsAddress = parts.metricsAddress
    this.#dev = parts.dev
    this.#kept = parts.kept
    this.demo = demoAdmin(JSON.parse(readFileSync(join(parts.dataDir, 'demo.json'), 'utf8')))
    this.temporal = openTemporal().client
    this.#listener = redisClient(parts.redisUrl).on('error', () => {})
    this.#keep('redis messages', '')
  }

  async listen(): Promise<void> {
    await this.#listener.connect()
    await this.#listener.pSubscribe('*', (message, channel) => this.#keep('redis messages', `${channel} ${message}`))
  }

  /** Runs a command as a person would. What `token` prints is not kept: it is the one that is meant to. */
  async cli(args: string[], given: { stdin?: string; env?: Record<string, string> } = {}): Promise<CommandEnd> {
    const env = { ...process.env, ...given.env }
    const child = spawn(process.execPath, [bin, ...args, '--data', this.dataDir], { cwd: tmpdir(), env })
    const end: CommandEnd = { code: null, stdout: '', stderr: '' }
    child.stdout.on('data', (data) => {
      end.stdout += data
    })
    child.stderr.on('data', (data) => {
      end.stderr += data
    })
    child.stdin.on('error', () => {}).end(given.stdin ?? '')
    await once(child, 'close')
    end.code = child.exitCode
    this.#keep('command output', args[0] === 'token' ? end.stderr : end.stdout + end.stderr)
    return end
  }

  /** Keeps what can be read now, and learns which secrets there are now. Redis only where it answers. */
  async look(options: { redis: boolean } = { redis: true }): Promise<void> {
    for (const secret of await secretsOfStack(this.dataDir, 'demo')) this.#learn(secret)
    for await (const { workflowId, runId, raw } of this.temporal.workflow.list()) {
      this.#keep('descriptions', textsIn(raw))
      const handle = this.temporal.workflow.getHandle(workflowId, runId)
      const description = await handle.describe()
      this.#keep('descriptions', textsIn(description.raw))
      if (description.status.name !== 'RUNNING' || description.taskQueue !== 'perennial') continue
      // what the Web UI shows: current details, summaries
      this.#keep('details', textsIn(await handle.query('__temporal_workflow_metadata').catch(() => '')))
    }
    this.#keep('metrics', await this.#metrics())
    if (options.redis) for (const text of await redisTexts(this.redisUrl)) this.#keep('redis', text)
  }

  /** Nothing where the worker is away. */
  async #metrics(): Promise<string> {
    const answer = await fetch(`http://${this.#metricsAddress}/metrics`).catch(() => undefined)
    return (await answer?.text()) ?? ''
  }

  async pid(child: 'redis' | 'demo' | 'worker'): Promise<number> {
    const { children } = JSON.parse(await readFile(join(this.dataDir, 'stack.json'), 'utf8'))
    return children[child]?.pid ?? Number.NaN
  }

  /** Every run, from its first event on, of every workflow or of one. */
  async histories(of?: string): Promise<string[]> {
    const texts: string[] = []
    const query = of === undefined ? {} : { query: `WorkflowId = '${of}'` }
    for await (const { workflowId, runId } of this.temporal.workflow.list(query))
      texts.push(textsIn(await this.temporal.workflow.getHandle(workflowId, runId).fetchHistory()))
    return texts
  }

  /** Ends it as Ctrl-C does, once. What was kept stays, and so does the folder. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<void> {
    if (this.#listener.isOpen) this.#listener.destroy()
    await this.perennial.close()
    await this.temporal.connection.close()
    this.#dev.kill('SIGINT')
    if (this.#dev.exitCode === null && this.#dev.signalCode === null) await once(this.#dev, 'exit')
    this.#family.stop()
  }

  async remove(): Promise<void> {
    await this.stop()
    await rm(this.dataDir, { recursive: true, force: true })
  }

  secrets(): Secret[] {
    return [...this.#secrets.values()]
  }

  /** Everything that was kept, and the files as they lie there now, by place. */
  places(histories: string[]): Map<string, string> {
    const places = new Map([...this.#kept].map(([place, texts]) => [place, texts.join('\n')]))
    places.set('histories', histories.join('\n'))
    places.set('arguments', [...this.#family.arguments].join('\n'))
    places.set('environments', [...this.#family.environments].join('\n'))
    for (const file of readdirSync(this.dataDir, { recursive: true, withFileTypes: true })) {
      const name = relative(this.dataDir, join(file.parentPath, file.name))
      if (!file.isFile() || homes.test(name)) continue
      const place = placeOf(name)
      const text = `${name}\n${readFileSync(join(this.dataDir, name), 'latin1')}`
      places.set(place, `${places.get(place) ?? ''}\n${text}`)
    }
    return places
  }

  #keep(place: string, text: string): void {
    const texts = this.#kept.get(place)
    if (texts === undefined) this.#kept.set(place, [text])
    else texts.push(text)
  }

  #learn(secret: Secret): void {
    this.#secrets.set(Buffer.from(secret.value).toString('hex'), secret)
  }
}

function placeOf(file: string): string {
  if (file.startsWith('logs/')) return file
  if (file.startsWith('temporal.db')) return 'files of Temporal'
  return file.startsWith('redis/') ? 'files of Redis' : 'other files'
}

/** Every key with its value, as text. */
async function redisTexts(url: string): Promise<string[]> {
  const redis = redisClient(url)
  await redis.connect()
  try {
    const texts: string[] = []
    for await (const keys of redis.scanIterator())
      for (const key of keys) texts.push(`${key} ${textsIn(await redisValue(redis, key, await redis.type(key)))}`)
    return texts
  } finally {
    redis.destroy()
  }
}

function redisValue(redis: RedisClient, key: string, type: string): Promise<unknown> {
  switch (type) {
    case 'string':
      return redis.get(key)
    case 'hash':
      return redis.hGetAll(key)
    case 'stream':
      return redis.xRange(key, '-', '+')
    case 'list':
      return redis.lRange(key, 0, -1)
    case 'set':
      return redis.sMembers(key)
    case 'zset':
      return redis.zRange(key, 0, -1)
    default:
      throw new Error(`${key} is a ${type}, which this cannot read`)
  }
}

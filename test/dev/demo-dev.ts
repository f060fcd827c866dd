import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, vi } from 'vitest'
import type { StatusDocument } from '../../packages/reader/src/format.ts'
import { createReader } from '../../packages/reader/src/index.ts'
import { open, readerKey, readerKeyText, sealingKey } from '../../packages/reader/src/sealed.ts'
import { type DemoAdmin, demoAdmin } from '../../src/dev/demo/admin.ts'
import { type Fleet, openFleet } from '../../src/dev/fleet.ts'
import type { ProcessIdentity } from '../../src/dev/processes.ts'
import type { ChildName } from '../../src/dev/state.ts'
import { connect, ready } from '../../src/store/connection.ts'
import { Store } from '../../src/store/store.ts'

const bin = join(import.meta.dirname, '../../bin/perennial.js')

/** `perennial dev --demo` in a process of its own, as a person starts it, and what can be seen of it from outside. */
export class DemoDev {
  readonly dataDir: string
  readonly process: ChildProcess
  readonly ended: Promise<unknown[]>
  /** stdout and stderr */
  output = ''
  #fleet: Fleet | undefined

  constructor(dataDir: string, ...options: string[]) {
    this.dataDir = dataDir
    const args = [bin, 'dev', '--data', dataDir, '--demo', ...options]
    this.process = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    this.ended = once(this.process, 'exit')
    this.process.once('exit', () => this.#fleet?.close())
    for (const stream of [this.process.stdout, this.process.stderr])
      stream?.on('data', (data) => {
        this.output += data
      })
  }

  /** Asks until `ask` throws no more; gives up at once when the process has ended. */
  async until<T>(ask: () => T | Promise<T>, withinMs = 60_000, intervalMs = 100): Promise<T> {
    const early = this.ended.then(() => {
      throw new Error(`perennial dev has ended:\n${this.output.slice(-2_000)}`)
    })
    return await Promise.race([early, vi.waitFor(ask, { timeout: withinMs, interval: intervalMs })])
  }

  table(withinMs?: number): Promise<void> {
    return this.until(() => expect(this.output).toContain('Web UI '), withinMs)
  }

  /** Ctrl-C; returns how it ended. */
  async interrupt(): Promise<unknown[]> {
    this.process.kill('SIGINT')
    return await this.ended
  }

  /** ends it if it still runs */
  async end(): Promise<void> {
    this.process.kill('SIGTERM')
    if (this.process.exitCode === null && this.process.signalCode === null) await this.ended
  }

  get admin(): DemoAdmin {
    return demoAdmin(JSON.parse(this.#read('demo.json')))
  }

  get children(): Partial<Record<ChildName, ProcessIdentity>> {
    return JSON.parse(this.#read('stack.json')).children
  }

  /** what readers are told of every credential; waits for Redis */
  statuses(): Promise<Map<string, StatusDocument>> {
    const fleet = this.#fleet ?? openFleet(this.#redisUrl)
    this.#fleet = fleet
    return this.until(async () => {
      const documents = await fleet.read()
      if (documents === undefined) throw new Error('Redis does not answer')
      return documents
    })
  }

  /** the generations of the access tokens that a service can get from Redis at this moment */
  async readable(ids: Iterable<string>): Promise<Map<string, number>> {
    const key = readerKeyText(readerKey(sealingKey(this.#read('secrets/reader-key')), 'demo'))
    const reader = createReader({ redis: this.#redisUrl, keys: [key] })
    try {
      const read = async (id: string): Promise<[string, number][]> => {
        const token = await reader.get(id).catch(() => undefined)
        return token === undefined ? [] : [[id, token.generation]]
      }
      return new Map((await Promise.all([...ids].map(read))).flat())
    } finally {
      await reader.close()
    }
  }

  /** the refresh token that Perennial holds for a credential */
  async refreshToken(id: string): Promise<string> {
    const redis = connect(this.#redisUrl, 'perennial-test', () => {})
    try {
      await ready(redis)
      const { hash } = await new Store(redis).read(id)
      const key = sealingKey(this.#read('secrets/grant-key'))
      return JSON.parse(open(hash?.grant ?? '', [key], { cred: id }).plaintext).refresh_token
    } finally {
      redis.destroy()
    }
  }

  get #redisUrl(): string {
    return this.#read('secrets/redis-url')
  }

  #read(name: string): string {
    return readFileSync(join(this.dataDir, name), 'utf8')
  }
}

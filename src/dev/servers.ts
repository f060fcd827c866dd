import { readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Connection } from '@temporalio/client'
import { PerennialError } from '../errors.ts'
import { type Command, type Exit, type RunningServer, runChild } from './child.ts'
import { freePort } from './ports.ts'

export type { RunningServer } from './child.ts'
export { freePort } from './ports.ts'

const searchAttributes = ['CredentialStatus', 'CredentialProvider', 'CredentialClient', 'CredentialTenant']

const startTimeoutMs = 30_000

export interface TemporalOptions {
  binary: string
  /** SQLite file; without it nothing outlives the server */
  dbFile?: string
  port?: number
  uiPort?: number
  /** no Web UI */
  headless?: boolean
  logFile?: string
  onSpawn?: (pid: number) => void
  /** timers shorter than a second take as long as they say, for tests */
  fastTimers?: boolean
  /** registers those of the credential workflow; on by default */
  searchAttributes?: boolean
}

export interface TemporalServer extends RunningServer {
  address: string
  uiAddress?: string
}

/** Starts a Temporal dev server on loopback; resolves when its default namespace answers. */
export async function startTemporal(options: TemporalOptions): Promise<TemporalServer> {
  const port = options.port ?? (await freePort())
  const uiPort = options.headless === true ? undefined : (options.uiPort ?? (await freePort()))
  const address = `127.0.0.1:${port}`
  const args = [
    ...temporalArguments(options, port),
    ...(uiPort === undefined ? ['--headless'] : [`--ui-port=${uiPort}`]),
  ]
  const server = await startWhenReady({
    name: 'the Temporal server',
    // the CLI would otherwise take flags from the profile of whoever starts it
    command: { command: options.binary, args, env: { TEMPORAL_CONFIG_FILE: '/dev/null', TEMPORAL_PROFILE: '' } },
    options,
    ready: () => temporalAnswers(address),
  })
  return { ...server, address, ...(uiPort === undefined ? {} : { uiAddress: `http://127.0.0.1:${uiPort}` }) }
}

function temporalArguments(options: TemporalOptions, port: number): string[] {
  const args = ['server', 'start-dev', '--ip=127.0.0.1', `--port=${port}`, '--log-level=warn', '--log-format=json']
  args.push('--dynamic-config-value', 'matching.enableFairness=true')
  // the one shard of a dev server looks for timers that are due 20 times a second at most, unless it is let: with a few
  // hundred tasks a second, each of which has timers of its own, some fire half a minute late
  args.push('--dynamic-config-value', 'history.timerProcessorMaxPollRPS=500')
  if (options.fastTimers === true) args.push('--dynamic-config-value', 'history.timerProcessorMaxTimeShift="10ms"')
  if (options.dbFile !== undefined)
    args.push(
      `--db-filename=${options.dbFile}`,
      '--sqlite-pragma=journal_mode=wal',
      '--sqlite-pragma=synchronous=normal',
    )
  if (options.searchAttributes !== false)
    for (const name of searchAttributes) args.push(`--search-attribute=${name}=Keyword`)
  return args
}

async function temporalAnswers(address: string): Promise<boolean> {
  const connection = Connection.lazy({ address })
  try {
    await connection.withDeadline(Date.now() + 2_000, () =>
      connection.workflowService.describeNamespace({ namespace: 'default' }),
    )
    return true
  } catch {
    return false
  } finally {
    await connection.close()
  }
}

export interface RedisOptions {
  binary: string
  /** where the data and the configuration file are kept */
  dir: string
  port?: number
  /** holds the password; without it the server asks for none */
  passwordFile?: string
  /** every write survives a kill of the server */
  appendOnly?: boolean
  logFile?: string
  onSpawn?: (pid: number) => void
}

export interface RedisServer extends RunningServer {
  /** with the password */
  url: string
}

/** Starts Redis or Valkey on loopback; resolves when it answers, its data loaded. */
export async function startRedis(options: RedisOptions): Promise<RedisServer> {
  const port = options.port ?? (await freePort())
  const password =
    options.passwordFile === undefined ? undefined : (await readFile(options.passwordFile, 'utf8')).trim()
  const file = join(options.dir, 'redis.conf')
  await writeFile(file, redisConfiguration(options, port, password), { mode: 0o600 })
  const server = await startWhenReady({
    name: 'Redis',
    command: { command: options.binary, args: [file] },
    options,
    ready: () => redisAnswers(port, password),
  })
  const login = password === undefined ? '' : `:${encodeURIComponent(password)}@`
  return { ...server, url: `redis://${login}127.0.0.1:${port}` }
}

function redisConfiguration(options: RedisOptions, port: number, password: string | undefined): string {
  const lines = ['bind 127.0.0.1', `port ${port}`, 'daemonize no', `dir ${JSON.stringify(options.dir)}`, 'save ""']
  lines.push(`appendonly ${options.appendOnly === true ? 'yes' : 'no'}`, 'appendfsync everysec')
  if (password !== undefined) lines.push(`requirepass ${JSON.stringify(password)}`)
  return `${lines.join('\n')}\n`
}

function redisAnswers(port: number, password: string | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const login = password === undefined ? '' : `AUTH ${JSON.stringify(password)}\r\n`
    const socket = connect({ host: '127.0.0.1', port }, () => socket.write(`${login}PING\r\n`))
    let answer = ''
    socket.setTimeout(2_000, () => socket.destroy())
    socket.on('data', (data) => {
      answer += data.toString()
      if (answer.includes('+PONG') || answer.includes('-')) socket.destroy()
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => resolve(answer.includes('+PONG')))
  })
}

interface Start {
  name: string
  command: Command
  options: Pick<Command, 'logFile' | 'onSpawn'>
  ready: () => Promise<boolean>
}

/** Starts a child and resolves when it is ready; one that ends before is an error that names its log. */
export async function startWhenReady(start: Start): Promise<RunningServer> {
  const { logFile, onSpawn } = start.options
  const server = await runChild({
    ...start.command,
    ...(logFile === undefined ? {} : { logFile }),
    ...(onSpawn === undefined ? {} : { onSpawn }),
  })
  let ended: Exit | undefined
  void server.exited.then((exit) => {
    ended = exit
  })
  const deadline = performance.now() + startTimeoutMs
  // an answer counts only while our child lives: somebody else may listen on that port
  while (!(await start.ready()) || ended !== undefined) {
    if (ended !== undefined) throw notStarted(start, `ended at once (${ended.signal ?? `exit code ${ended.code}`})`)
    if (performance.now() > deadline) {
      await server.stop(1_000)
      throw notStarted(start, `did not answer within ${startTimeoutMs / 1_000} s`)
    }
    await sleep(30)
  }
  return server
}

function notStarted(start: Start, what: string): PerennialError {
  const where = start.options.logFile === undefined ? '' : `; see ${start.options.logFile}`
  return new PerennialError('server_not_started', `${start.name} ${what}${where}`)
}

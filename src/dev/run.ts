import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Perennial } from '../client.ts'
import { loadConfig } from '../config.ts'
import { packageRoot } from './binaries.ts'
import { embeddedEnvironment } from './configuration.ts'
import { demoCredentials, plantCredentials } from './demo/plant.ts'
import { openFleet } from './fleet.ts'
import { nextRows } from './rows.ts'
import { openScreen, type Screen } from './screen.ts'
import { type Stack, startStack } from './stack.ts'

export interface DevOptions {
  dataDir: string
  /** an authorization server with users of its own */
  demo?: { users: number; tokenSeconds: number }
  /** a user's own configuration */
  configFile?: string
}

const redrawMs = 500
/** the first table waits so long for Redis, because elsewhere than on a terminal it is written only once */
const firstReadWithinMs = 3_000

/** Runs the embedded stack with its live table until a signal, then ends all of it in order. */
export async function runDev(options: DevOptions): Promise<void> {
  const end = endRequested()
  const screen = openScreen(process.stdout, process.stderr, process.stdout.hasColors?.() ?? false)
  screen.say(`starting Temporal and Redis, data in ${options.dataDir} …`)
  const stack = await startStack({
    ...options,
    worker: (configFile) => ({
      command: process.execPath,
      args: [join(packageRoot(), 'bin', 'perennial.js'), 'worker', '--config', configFile],
    }),
    say: screen.say,
  })
  try {
    if (!end.aborted) await work(stack, options.demo?.users, screen, end)
  } finally {
    screen.say('ending: the worker finishes its exchanges first …')
    await stack.stop()
    screen.say(`ended; the same command goes on from here (data in ${stack.dataDir})`)
  }
}

/** Aborted by the first of the signals that ask to end. More of them change nothing: npm sends Ctrl-C twice. */
function endRequested(): AbortSignal {
  const controller = new AbortController()
  const end = () => controller.abort()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end)
  // Nobody watches any more. Other commands just leave then; this one has children to end, and must not fail over it.
  for (const stream of [process.stdout, process.stderr]) stream.removeAllListeners('error').on('error', end)
  endWithLauncher(end)
  return controller.signal
}

/** bin/perennial.js runs this process on another Node and says its own pid; killed, it cannot pass a signal on. */
function endWithLauncher(end: () => void): void {
  if (process.env.PERENNIAL_LAUNCHER !== String(process.ppid)) return
  const launcher = process.ppid
  setInterval(() => {
    if (process.ppid !== launcher) end()
  }, 500).unref()
}

async function work(stack: Stack, users: number | undefined, screen: Screen, end: AbortSignal): Promise<void> {
  enterEnvironment(stack)
  const config = await loadConfig(stack.configFile)
  await stack.startWorker()
  if (stack.demo === undefined || users === undefined) return showFleet(stack, [], screen, end)
  const perennial = await Perennial.open(config)
  try {
    await plantCredentials(perennial, stack.demo, users, screen.say, end)
  } finally {
    await perennial.close()
  }
  await showFleet(stack, demoCredentials(users), screen, end)
}

/** From here on the SDK in this process finds the embedded Temporal, as the worker and the CLI do. */
function enterEnvironment(stack: Stack): void {
  for (const [name, value] of Object.entries(embeddedEnvironment(process.env, stack.temporalProfile))) {
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
}

async function showFleet(stack: Stack, expected: string[], screen: Screen, end: AbortSignal): Promise<void> {
  const fleet = openFleet(stack.redisUrl)
  const query = encodeURIComponent('WorkflowType="credential" AND ExecutionStatus="Running"')
  const where = stack.dataDir === resolve('.perennial') ? '' : ` --data ${stack.dataDir}`
  const header = [
    `Web UI   ${stack.uiAddress}/namespaces/default/workflows?query=${query}`,
    `try      npx perennial list${where}   in another terminal; Ctrl-C ends`,
    '',
  ]
  let rows = nextRows([], new Map(), expected, Date.now())
  const patienceEndsMs = Date.now() + firstReadWithinMs
  for (let seen = false; !end.aborted; ) {
    const nowMs = Date.now()
    const documents = await fleet.read()
    if (documents !== undefined) rows = nextRows(rows, documents, expected, nowMs)
    seen ||= documents !== undefined || nowMs > patienceEndsMs
    if (seen) screen.show(header, rows, nowMs)
    await sleep(redrawMs, undefined, { signal: end }).catch(() => {})
  }
  fleet.close()
}

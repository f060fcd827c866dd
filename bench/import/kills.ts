import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { PerennialError } from '../../src/errors.ts'
import type { Rig } from '../refresh/rig.ts'
import type { ImportBench } from './bench.ts'
import { writeImportFile } from './file.ts'

const bin = fileURLToPath(new URL('../../bin/perennial.js', import.meta.url))
const tenant = 'killed'

/** What became of an import whose command was killed twice. */
export interface Killed {
  lines: number
  /** of the last run: what the runs before had begun, and what it began itself */
  joined: number
  started: number
  refused: Record<string, number>
  /** until the last run had ended, and until a worker had taken over the last credential */
  lastRunSeconds: number
  takenOverSeconds: number
}

/**
 * Imports a file with bad lines in it, by the command, which is killed with SIGKILL at a third and at two thirds.
 *
 * @throws PerennialError `not_exactly_once` where a credential is missing, or began twice, or a bad line was taken
 */
export async function importThroughKills(rig: Rig, options: ImportBench): Promise<Killed> {
  const { lines, badOfEach, signal, say } = options
  const dir = await mkdtemp(join(tmpdir(), 'perennial-bench-import-'))
  try {
    const path = join(dir, 'grants.jsonl')
    const { good, bad } = await writeImportFile(path, `${tenant}/client`, lines, badOfEach)
    await rig.startWorker('credential')
    for (const share of [1 / 3, 2 / 3]) {
      const killedAt = await killAt(rig, path, { lines, begun: Math.round(good.length * share) })
      say(`import: killed with ${killedAt} of ${good.length} credentials begun`)
    }
    const beganMs = performance.now()
    const tally = await lastRun(rig, path)
    const lastRunSeconds = secondsSince(beganMs)
    const refused = await refusedIn(`${path}.refused.jsonl`)
    if (JSON.stringify(refused) !== JSON.stringify(sorted(bad)))
      throw wrong(`refused were ${JSON.stringify(refused)}, not ${JSON.stringify(sorted(bad))}`)
    await untilTakenOver(rig, good, signal)
    const taken = { lastRunSeconds, takenOverSeconds: secondsSince(beganMs) }
    say(`import: ${good.length} credentials, each exactly once, after ${taken.takenOverSeconds} s`)
    return { lines, joined: tally.joined ?? 0, started: tally.started ?? 0, refused, ...taken }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

const importing = ({ configFile }: Rig, path: string, ...options: string[]) =>
  spawn(process.execPath, [bin, 'import', path, '--yes', '--config', configFile, ...options], {
    // in a group of its own, to be killed with whatever it started
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  })

async function begun({ temporal }: Rig): Promise<number> {
  const { count } = await temporal.client.workflow.count(`WorkflowId STARTS_WITH 'credential/${tenant}/'`)
  return Number(count)
}

async function killAt(rig: Rig, path: string, at: { lines: number; begun: number }): Promise<number> {
  // slow enough to be caught in the middle
  const command = importing(rig, path, '--rate', String(Math.max(100, at.lines / 10)))
  while ((await begun(rig)) < at.begun) {
    if (command.exitCode !== null) throw wrong('the import ended before it could be killed')
    await sleep(20)
  }
  process.kill(-(command.pid ?? 0), 'SIGKILL')
  await once(command, 'exit')
  return await begun(rig)
}

async function lastRun(rig: Rig, path: string): Promise<Record<string, number>> {
  const command = importing(rig, path, '--json')
  const [said, [code]] = await Promise.all([text(command.stdout), once(command, 'exit')])
  // partly refused
  if (code !== 3) throw wrong(`the last run ended with exit code ${code}`)
  return JSON.parse(said) as Record<string, number>
}

async function refusedIn(report: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const line of (await readFile(report, 'utf8')).trim().split('\n')) {
    const { code } = JSON.parse(line) as { code: string }
    counts[code] = (counts[code] ?? 0) + 1
  }
  return sorted(counts)
}

/** Each credential was taken over once: one workflow, and one event that says so. */
async function untilTakenOver(rig: Rig, good: readonly string[], signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted()
    const entries = (await rig.redis.xRange('perennial:events', '-', '+')) ?? []
    const connected = entries
      .map(({ message }) => message)
      .filter(({ event, credential }) => event === 'connected' && credential?.startsWith(`${tenant}/`))
      .map(({ credential }) => credential)
    if (connected.length >= good.length) {
      const isOnce = connected.length === good.length && new Set(connected).size === good.length
      const workflows = await begun(rig)
      if (isOnce && workflows === good.length) return
      throw wrong(`${connected.length} taken over, ${workflows} workflows, for ${good.length} credentials`)
    }
    await sleep(500)
  }
}

const sorted = (counts: Record<string, number>) => Object.fromEntries(Object.entries(counts).sort())

const secondsSince = (beganMs: number) => Math.round((performance.now() - beganMs) / 100) / 10

const wrong = (what: string) => new PerennialError('not_exactly_once', `import: ${what}`)

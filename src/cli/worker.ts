import type { Command } from 'commander'
import { pino } from 'pino'

import { openTarget } from './session.ts'
import { type TargetOptions, withTargetOptions } from './target.ts'

/** `perennial worker`: runs until it is told to stop, then finishes what is under way. */
export function registerWorker(program: Command): void {
  withTargetOptions(program.command('worker'))
    .description('run a worker against the configured Temporal and Redis, until SIGTERM or Ctrl-C')
    .action(async (options: TargetOptions) => {
      const { config } = await openTarget(options)
      const log = pino({ base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime })
      if (!config.readers.sealed)
        log.warn(
          'readers.sealed is false: access tokens stand in Redis as they are, for whoever reads it or a copy of it',
        )
      // loaded here: it brings the whole of Temporal's worker with it
      const { runWorker } = await import('../worker.ts')
      await runWorker(config, log, () => log.info({ clients: [...config.clients.keys()] }, 'worker ready'))
      log.info('worker stopped')
    })
}

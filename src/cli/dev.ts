import { type Command, InvalidArgumentError, Option } from 'commander'

interface DevOptions {
  demo?: number | true
  config?: string
  data: string
  tokenSeconds: number
}

const defaultUsers = 12

/** `perennial dev`: everything on this machine, with a live table. */
export function registerDev(program: Command): void {
  program
    .command('dev')
    .description('run Temporal with its Web UI, Redis and a worker on this machine, with a live table, until Ctrl-C')
    .addOption(
      new Option('--demo [users]', `run an authorization server too, with so many users (${defaultUsers})`).argParser(
        wholeNumber(0),
      ),
    )
    .option('--config <file>', 'add the clients and providers of this file')
    .option('--data <dir>', 'where data, keys and logs are kept', '.perennial')
    .addOption(
      new Option('--token-seconds <seconds>', 'lifetime of access tokens of the demo')
        .default(30)
        .argParser(wholeNumber(2)),
    )
    .action(async ({ demo, data, config, tokenSeconds }: DevOptions) => {
      // loaded here: no other command should wait for it
      const { runDev } = await import('../dev/run.ts')
      await runDev({
        dataDir: data,
        ...(demo === undefined ? {} : { demo: { users: demo === true ? defaultUsers : demo, tokenSeconds } }),
        ...(config === undefined ? {} : { configFile: config }),
      })
    })
}

const wholeNumber = (least: number) => (text: string) => {
  if (!/^\d{1,6}$/.test(text) || Number(text) < least)
    throw new InvalidArgumentError(`not a whole number from ${least}`)
  return Number(text)
}

import type { Command } from 'commander'
import type { Config } from '../config.ts'
import { needsPerson } from '../credential.ts'
import { credentialCommand, jsonFlag, parameterArgument } from './arguments.ts'
import { usageError } from './exit.ts'
import { type TargetOptions, withTargetOptions } from './target.ts'
import { readTokenResponse } from './token-response.ts'

/** Options of the commands that hand over a grant. */
export interface GrantOptions extends TargetOptions {
  from?: string
  json?: boolean
}

/** Options of those that may begin a credential with it. */
export interface BeginOptions extends GrantOptions {
  param?: Record<string, string>
}

/** A command that hands over a grant: `NAME ID [--from FILE|-]`. */
export const grantCommand = (program: Command, name: string) =>
  withTargetOptions(
    credentialCommand(program, name)
      .option('--from <file>', 'the token response of the provider, as JSON; - for stdin')
      .option(...jsonFlag),
  )

export const withParameters = (command: Command) =>
  command.option(
    '--param <name=value>',
    "fills a placeholder of the provider's endpoints and requests; any number of times",
    parameterArgument,
  )

/**
 * What was handed over: the parsed token response, unless the client needs none, and the parameters.
 *
 * @throws PerennialError `usage` when the client needs a grant and none is named, `invalid_token_response`
 */
export async function handedGrant(
  id: string,
  { from, param }: BeginOptions,
  config: Config,
): Promise<{ tokenResponse?: unknown; parameters?: Record<string, string> }> {
  const parameters = param === undefined ? {} : { parameters: param }
  if (from !== undefined) return { ...parameters, tokenResponse: await readTokenResponse(from) }
  const client = id.split('/')[1] ?? ''
  // an unknown client is refused by whoever knows what to say about it
  const grant = config.clients.get(client)?.grant
  if (grant === undefined || !needsPerson(grant)) return parameters
  throw usageError(
    `client ${client} needs a grant: pass the token response of the provider with --from FILE, or --from - and pipe it in`,
  )
}

import { type Command, InvalidArgumentError } from 'commander'
import { parseCredentialId } from '../credential.ts'
import { PerennialError } from '../errors.ts'

/** The ID of a credential on the command line. */
export function credentialArgument(id: string): string {
  const parts = parseCredentialId(id)
  if (typeof parts === 'string') throw new PerennialError('invalid_credential_id', parts)
  return id
}

/** `--param k=v`, any number of times. */
export function parameterArgument(pair: string, previous: Record<string, string> = {}): Record<string, string> {
  const [, name, value] = /^([A-Za-z][A-Za-z0-9_-]*)=(.+)$/s.exec(pair) ?? []
  if (name === undefined || value === undefined) throw new InvalidArgumentError('Write name=value.')
  return { ...previous, [name]: value }
}

/** A command whose first argument is a credential. */
export const credentialCommand = (program: Command, name: string) =>
  program.command(name).argument('<id>', 'credential: tenant/client/subject', credentialArgument)

export const jsonFlag = ['--json', 'print JSON'] as const

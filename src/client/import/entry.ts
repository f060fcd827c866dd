import type { Config } from '../../config.ts'
import { needsPerson, parseCredentialId } from '../../credential.ts'
import { PerennialError } from '../../errors.ts'
import { namesSecret } from '../../oauth/harmless.ts'
import type { Seed } from '../../workflows/messages.ts'
import { checkParameters, clientFor, makeSeed } from '../seed.ts'
import { type Line, longestLineBytes } from './lines.ts'

/** What a line of an import asks for. */
export interface Entry {
  credential: string
  /** where its token requests go; what is at one place shares a budget */
  endpoint: string
  seed: Seed
  refreshToken?: string
  parameters?: Record<string, string>
}

/** Why a line is not taken. No part of it holds a secret. */
export interface Refusal {
  code: string
  reason: string
  /** as far as the line names one */
  credential?: string
}

type Members = Record<string, unknown>

/** Longer ids are no ids, and may be something else that slipped into the place. */
const longestShownId = 800

/**
 * Reads a line: a JSON object with `credential`, the members of a token response, and `parameters` for placeholders of
 * the provider's endpoints. Other members are passed over: a token response may be kept as the provider gave it.
 */
export function readEntry(config: Config, line: Line): Entry | Refusal {
  if (line.flaw === 'too_long') return { code: 'too_long', reason: `is longer than ${longestLineBytes} bytes` }
  if (line.flaw === 'not_utf8') return { code: 'not_json', reason: 'is not UTF-8' }
  const members = membersOf(line.text)
  if (members === undefined) return { code: 'not_json', reason: 'is not a JSON object on one line' }
  try {
    return entryOf(config, members)
  } catch (error) {
    if (!(error instanceof PerennialError)) throw error
    return withoutSecrets(members, { code: error.code, reason: error.message })
  }
}

function entryOf(config: Config, { credential, parameters, ...response }: Members): Entry {
  if (typeof credential !== 'string' || credential === '')
    throw new PerennialError('invalid_credential_id', 'credential is missing; it must be "tenant/client/subject"')
  const parts = parseCredentialId(credential)
  if (typeof parts === 'string')
    throw new PerennialError('invalid_credential_id', parts.replace(` ${JSON.stringify(credential)}`, ''))
  const { grant } = clientFor(config, credential)
  const own = parametersOf(parameters)
  const endpoint = checkParameters(config, credential, own)
  const handsOver = ['access_token', 'refresh_token'].some((name) => given(response[name]))
  // only what can be kept fresh; the rest is left where it is
  const needed = grant === 'access_token' ? 'access_token' : 'refresh_token'
  if (needsPerson(grant) && !given(response[needed]))
    throw new PerennialError('no_grant', `${needed} is missing; without it there is nothing to go on with`)
  const seed = makeSeed(config, credential, handsOver ? { tokenResponse: response } : {})
  return {
    credential,
    endpoint,
    seed,
    ...(typeof response.refresh_token === 'string' ? { refreshToken: response.refresh_token } : {}),
    ...(own === undefined ? {} : { parameters: own }),
  }
}

const given = (value: unknown) => value !== undefined && value !== null && value !== ''

function parametersOf(value: unknown): Record<string, string> | undefined {
  if (value === undefined || value === null) return undefined
  const isMap = typeof value === 'object' && !Array.isArray(value)
  if (isMap && Object.values(value).every((one) => typeof one === 'string')) return { ...(value as object) }
  throw new PerennialError('invalid_parameter', 'parameters must be an object of strings')
}

function membersOf(text: string): Members | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
  } catch {
    return undefined
  }
}

/** A column that slipped may have put a token where the id belongs. */
function withoutSecrets(members: Members, { code, reason }: Refusal): Refusal {
  const secrets = Object.entries(members)
    .filter(([name]) => namesSecret(name))
    .flatMap(([, value]) => (typeof value === 'string' && value.length >= 8 ? [value] : []))
  const repeats = (text: string) => secrets.some((secret) => text.includes(secret))
  const { credential } = members
  const shown = typeof credential === 'string' && credential.length <= longestShownId && !repeats(credential)
  return {
    code,
    reason: repeats(reason) ? 'is refused; the id holds a token of the same line' : reason,
    ...(shown ? { credential } : {}),
  }
}

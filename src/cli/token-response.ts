import { readFile, stat } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { PerennialError } from '../errors.ts'
import { usageError } from './exit.ts'
import { jsonErrorOffset } from './json-syntax.ts'

/** A token response is a few kilobytes; whatever is larger is another file. */
const maxBytes = 1_000_000

/**
 * Reads the token response that `--from` names. Where it is no JSON the message says where, and quotes nothing: it is
 * a secret.
 *
 * @param from a file, or `-` for stdin
 * @throws PerennialError `usage` when stdin is a terminal, `invalid_token_response`
 */
export async function readTokenResponse(from: string): Promise<unknown> {
  if (from === '-' && process.stdin.isTTY)
    throw usageError('--from - reads stdin, and stdin is a terminal: pipe the token response in, or name a file')
  const name = from === '-' ? 'stdin' : from
  return parseTokenResponse(from === '-' ? await text(process.stdin) : await readSmallFile(from), name)
}

export function parseTokenResponse(source: string, name: string): unknown {
  const json = source.replace(/^\ufeff/, '')
  if (json.trim() === '') throw invalid(name, 'is empty; it must hold the token response of the provider, as JSON')
  try {
    return JSON.parse(json)
  } catch {
    const before = json.slice(0, jsonErrorOffset(json)).split('\n')
    const place = `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`
    throw invalid(name, `is not JSON (${place}); it must hold the token response as the provider gave it`)
  }
}

async function readSmallFile(path: string): Promise<string> {
  try {
    const { size } = await stat(path)
    if (size > maxBytes) throw invalid(path, 'is larger than 1 MB; that is no token response')
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof PerennialError) throw error
    const { code } = error as NodeJS.ErrnoException
    throw invalid(path, code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`)
  }
}

const invalid = (name: string, what: string) => new PerennialError('invalid_token_response', `${name} ${what}`)

import { writeFile } from 'node:fs/promises'
import { longestLineBytes } from '../../src/client/import/lines.ts'

/** A file to import, and what has to come of it. */
export interface ImportFile {
  good: string[]
  /** how many lines have to be refused, by code */
  bad: Record<string, number>
  /** what must never be seen again */
  secret: string
}

const secret = 'canary-secret'

/**
 * Writes lines of a tenant's client whose access tokens are good for an hour, so that no refresh is due, with so many
 * bad ones of each kind between them.
 */
export async function writeImportFile(
  path: string,
  client: `${string}/${string}`,
  lines: number,
  badOfEach: number,
): Promise<ImportFile> {
  const line = (subject: string, more: object = {}) =>
    JSON.stringify({
      credential: `${client}/${subject}`,
      refresh_token: `rt-${secret}-${subject}`,
      access_token: `at-${secret}-${subject}`,
      expires_in: 3600,
      ...more,
    })
  const kinds: ((n: number) => string)[] = [
    (n) => line(`bad ${n}`),
    (n) => line(`u${n}`, { credential: `${client.split('/')[0]}/nobody/u${n}` }),
    (n) => line(`grantless${n}`, { refresh_token: undefined }),
    (n) => line(`u${n}`, { refresh_token: `rt-${secret}-another-${n}` }),
    (n) => line(`broken${n}`).slice(0, -2),
    (n) => line(`long${n}`, { note: 'x'.repeat(longestLineBytes) }),
  ]
  const bad = kinds.flatMap((make) => Array.from({ length: badOfEach }, (_, n) => make(n)))
  const good = Array.from({ length: lines - bad.length }, (_, n) => `u${n}`)
  const text = good.map((subject) => line(subject))
  // the first of a pair of duplicates is the one that counts, so no bad line comes before its good one
  const every = Math.max(1, Math.floor((good.length - badOfEach) / bad.length))
  bad.forEach((one, i) => void text.splice(badOfEach + i * (every + 1), 0, one))
  await writeFile(path, `${text.join('\n')}\n`, { mode: 0o600 })
  const codes = ['invalid_credential_id', 'unknown_client', 'no_grant', 'duplicate', 'not_json', 'too_long']
  return {
    good: good.map((subject) => `${client}/${subject}`),
    bad: Object.fromEntries(codes.map((code) => [code, badOfEach])),
    secret,
  }
}

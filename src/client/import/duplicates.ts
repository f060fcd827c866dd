import { createHash } from 'node:crypto'
import type { Entry, Refusal } from './entry.ts'

/**
 * Finds what a file holds twice: a credential, or a refresh token under two names, of which each would end the other.
 * Holds a hash for each, no token: about 100 bytes a line.
 */
export class Duplicates {
  readonly #lines = new Map<string, number>()

  /** Takes note of an entry, unless it repeats an earlier one. */
  find({ credential, refreshToken }: Entry, line: number, sharesGrant: boolean): Refusal | undefined {
    const sameCredential = this.#lines.get(hashOf('credential', credential))
    if (sameCredential !== undefined)
      return { code: 'duplicate', reason: `line ${sameCredential} has the same credential`, credential }
    const token = refreshToken === undefined || sharesGrant ? undefined : hashOf('token', refreshToken)
    const sameToken = token === undefined ? undefined : this.#lines.get(token)
    if (sameToken !== undefined)
      return {
        code: 'duplicate',
        reason: `line ${sameToken} has the same refresh token, and with this provider one use of it ends the other`,
        credential,
      }
    this.#lines.set(hashOf('credential', credential), line)
    if (token !== undefined) this.#lines.set(token, line)
    return undefined
  }
}

const hashOf = (kind: string, text: string) =>
  createHash('sha256').update(kind).update('\0').update(text).digest('base64url').slice(0, 24)

/**
 * An expected failure, for whoever called: `code` is stable and meant for programs, the message says what happened
 * and what to do about it, and neither ever holds a secret. Anything else that is thrown is a bug.
 */
export class PerennialError extends Error {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.name = 'PerennialError'
    this.code = code
  }
}

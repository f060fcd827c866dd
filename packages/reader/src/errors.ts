/**
 * Every expected failure of this package. `code` is stable and meant for programs; the message says what happened and
 * what to do about it; neither ever holds a secret.
 */
export class ReaderError extends Error {
  readonly code: string
  /** whether the same call may succeed later without anyone doing anything */
  readonly retryable: boolean
  /** since when the credential has been in this state; in {@link TokenExpired}, when its last token expired */
  readonly since?: Date
  /** an OAuth error code or a short word: why the credential is in this state */
  readonly reason?: string

  constructor(code: string, message: string, retryable: boolean, details: ErrorDetails = {}) {
    super(message)
    this.name = new.target.name
    this.code = code
    this.retryable = retryable
    if (details.since !== undefined) this.since = details.since
    if (details.reason !== undefined) this.reason = details.reason
  }
}

export interface ErrorDetails {
  since?: Date
  reason?: string
}

/** The call or the configuration is wrong: a bad credential id, key or Redis address. */
export class InvalidArgument extends ReaderError {
  constructor(message: string) {
    super('invalid_argument', message, false)
  }
}

export type UnreadableCode = 'unknown_key' | 'tampered' | 'other_credential' | 'malformed'

/**
 * A stored value that must not be used: sealed with a key that is not here (`unknown_key`), changed since it was sealed
 * (`tampered`), made for another credential (`other_credential`), or not of the expected form (`malformed`).
 */
export class UnreadableValue extends ReaderError {
  declare readonly code: UnreadableCode

  constructor(code: UnreadableCode, message: string) {
    super(code, message, false)
  }
}

/** Nothing is stored for this credential: it was never started, or the store was emptied. */
export class CredentialNotFound extends ReaderError {
  constructor(message: string) {
    super('credential_not_found', message, false)
  }
}

/** The credential was started and has no access token yet. */
export class TokenPending extends ReaderError {
  constructor(message: string, details: ErrorDetails) {
    super('token_pending', message, true, details)
  }
}

/** The provider refused the grant: the user has to consent again. */
export class ReconnectRequired extends ReaderError {
  constructor(message: string, details: ErrorDetails) {
    super('reconnect_required', message, false, details)
  }
}

/** The credential was revoked. */
export class CredentialRevoked extends ReaderError {
  constructor(message: string, details: ErrorDetails) {
    super('credential_revoked', message, false, details)
  }
}

/**
 * There is no access token that is valid for long enough. `reason` says why no newer one is there yet, or is
 * `min_remaining` when there is one, valid for less than the `minRemainingMs` that the caller asked for.
 */
export class TokenExpired extends ReaderError {
  constructor(message: string, details: ErrorDetails) {
    super('token_expired', message, true, details)
  }
}

/** Redis cannot be reached, does not answer in time, or refuses the reader. */
export class StoreUnavailable extends ReaderError {
  constructor(message: string) {
    super('store_unavailable', message, true)
  }
}

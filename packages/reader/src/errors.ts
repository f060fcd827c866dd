/**
 * Every expected failure of this package. `code` is stable and meant for programs; the message is for whoever runs the
 * service, and says what happened and what to do about it; `forUser` may be shown to an end user. None ever holds a
 * secret.
 */
export class ReaderError extends Error {
  readonly code: string
  /** whether the same call may succeed later without anyone doing anything */
  readonly retryable: boolean
  /** what to tell the person whose account it is */
  readonly forUser: string
  /** which credential was asked for */
  readonly credential?: string
  /** since when the credential has been in this state; in {@link TokenExpired}, when its last token expired */
  readonly since?: Date
  /** an OAuth error code or a short word: why the credential is in this state */
  readonly reason?: string

  constructor(code: string, message: string, how: Treatment, details: ErrorDetails = {}) {
    super(message)
    this.name = new.target.name
    this.code = code
    this.retryable = how.retryable
    this.forUser = how.forUser
    if (details.credential !== undefined) this.credential = details.credential
    if (details.since !== undefined) this.since = details.since
    if (details.reason !== undefined) this.reason = details.reason
  }
}

export interface ErrorDetails {
  credential?: string
  since?: Date
  reason?: string
}

interface Treatment {
  retryable: boolean
  forUser: string
}

const ours = 'Something is wrong on our side. We are looking into it.'
const later = 'This account cannot be reached at the moment. Please try again in a few minutes.'

/** The call or the configuration is wrong: a bad credential id, key or Redis address. */
export class InvalidArgument extends ReaderError {
  constructor(message: string) {
    super('invalid_argument', message, { retryable: false, forUser: ours })
  }
}

export type UnreadableCode = 'unknown_key' | 'tampered' | 'other_credential' | 'malformed' | 'rolled_back'

/**
 * A stored value that must not be used: sealed with a key that is not here (`unknown_key`), changed since it was sealed
 * (`tampered`), made for another credential (`other_credential`), not of the expected form (`malformed`), or older than
 * what this reader has seen before (`rolled_back`; the workers write the newer one again).
 */
export class UnreadableValue extends ReaderError {
  declare readonly code: UnreadableCode

  constructor(code: UnreadableCode, message: string, details: ErrorDetails = {}) {
    super(code, message, { retryable: code === 'rolled_back', forUser: ours }, details)
  }
}

/** Nothing is stored for this credential: it was never started, or the store was emptied. */
export class CredentialNotFound extends ReaderError {
  constructor(message: string, details: ErrorDetails = {}) {
    super(
      'credential_not_found',
      message,
      { retryable: false, forUser: 'This account is not connected. Please connect it.' },
      details,
    )
  }
}

/** The credential was started and has no access token yet. */
export class TokenPending extends ReaderError {
  constructor(message: string, details: ErrorDetails) {
    super(
      'token_pending',
      message,
      { retryable: true, forUser: 'This account is being connected. Please try again in a moment.' },
      details,
    )
  }
}

/**
 * The provider refused the grant: the user has to consent again. `client` and `subject` say where to start: send the
 * user through the consent of that OAuth client, then hand the answer to `perennial connect <credential>`.
 */
export class ReconnectRequired extends ReaderError {
  readonly tenant: string
  readonly client: string
  readonly subject: string

  constructor(message: string, details: ErrorDetails) {
    super(
      'reconnect_required',
      message,
      { retryable: false, forUser: 'Access to this account has ended. Please connect it again.' },
      details,
    )
    const [tenant = '', client = '', subject = ''] = details.credential?.split('/') ?? []
    this.tenant = tenant
    this.client = client
    this.subject = subject
  }
}

/** The credential was revoked. */
export class CredentialRevoked extends ReaderError {
  constructor(message: string, details: ErrorDetails) {
    super(
      'credential_revoked',
      message,
      { retryable: false, forUser: 'This account was disconnected. Please connect it again to go on.' },
      details,
    )
  }
}

/**
 * There is no access token that is valid for long enough. `reason` says why no newer one is there yet, or is
 * `min_remaining` when there is one, valid for less than the `minRemainingMs` that the caller asked for.
 */
export class TokenExpired extends ReaderError {
  constructor(message: string, details: ErrorDetails) {
    super('token_expired', message, { retryable: true, forUser: later }, details)
  }
}

/** Redis cannot be reached, does not answer in time, or refuses the reader. */
export class StoreUnavailable extends ReaderError {
  constructor(message: string) {
    super('store_unavailable', message, { retryable: true, forUser: later })
  }
}

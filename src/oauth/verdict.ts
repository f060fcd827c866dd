/** The tokens of one answer. Durations are milliseconds from the moment the answer was complete. */
export interface TokenSet {
  /** absent when only a refresh token could be saved from the answer; the next refresh is then due at once */
  accessToken?: string
  tokenType?: string
  scope?: string
  /** lifetime of the access token; absent when the provider did not say */
  expiresInMs?: number
  /** absent when the provider sent none: the one that was used stays valid */
  refreshToken?: string
  /** lifetime of the refresh token; absent when unknown or when it never expires */
  refreshExpiresInMs?: number
  /** to an end of the refresh token that no refresh moves, where the answer says so */
  refreshEndsInMs?: number
  /** what readers need beside the token: the address of an API, an account */
  values?: Record<string, string>
}

/**
 * What one attempt at a token endpoint means. `reason` is for operators and readers: an OAuth error code or a short
 * word, with what the provider said in `detail`, made harmless (no secrets, no markdown, at most 200 characters).
 */
export type Verdict =
  | { kind: 'granted'; tokens: TokenSet }
  /** it certainly did not leave: the same refresh token is safe */
  | { kind: 'unsent'; reason: string; detail: string }
  /** it may have left and no complete answer came back */
  | { kind: 'ambiguous'; reason: string; detail: string }
  | { kind: 'throttled'; reason: string; detail: string; retryAfterMs?: number }
  /** refused because the token in use is too young; no fault of anyone */
  | { kind: 'too_early'; reason: string; detail: string }
  /** the refresh token is no longer good */
  | { kind: 'grant_refused'; reason: string; detail: string }
  /** this client, or its request, was refused; another of its secrets may work when `secretRefused` */
  | { kind: 'client_refused'; reason: string; detail: string; secretRefused: boolean }
  | { kind: 'unclear'; reason: string; detail: string }

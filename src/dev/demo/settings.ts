/** What the demo authorization server is started with: a file (0600), because it holds secrets. */
export interface DemoSettings {
  port: number
  /** bearer token of the admin side */
  adminSecret: string
  /** where grants are kept */
  journalFile: string
  /** lifetime of access tokens */
  tokenSeconds: number
  clients: DemoClient[]
}

export interface DemoClient {
  id: string
  secret: string
  grant: 'refresh_token' | 'client_credentials'
}

/** What goes wrong at the token endpoint, until faults are set anew. The first that fits a request applies. */
export interface Fault {
  /** only this client; all when absent */
  client?: string
  /** waits before anything happens */
  delayMs?: number
  /** answers this and exchanges nothing */
  answer?: { status: number; headers?: Record<string, string>; body: string }
  /** exchanges, then waits before it answers: the moment in which an answer can be lost */
  holdAnswerMs?: number
}

/** A token response as the provider gives it (RFC 6749 section 5.1). */
export interface TokenResponse {
  access_token: string
  token_type: string
  expires_in: number
  refresh_token: string
  scope: string
}

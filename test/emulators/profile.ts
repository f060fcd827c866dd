/**
 * How a vendor's token endpoint behaves, in words of its own: what it accepts, what it answers, what becomes of the
 * tokens that it replaces. Written from vendors' pages, so that whatever reads a provider's entry can be tried against
 * a second, independent reading.
 */
export interface Profile {
  /** the vendor's name; a behaviour that a setting of the vendor decides has one of its own, `okta/rotating` */
  name: string
  /** the pages that say so, oddities first */
  sources: readonly string[]
  /** false where only the address is known: everything else is RFC 6749 at its strictest */
  known: boolean
  /** what the placeholders in the URLs stand for in the account that is emulated */
  account: Readonly<Record<string, string>>
  token: Door
  /** each installation has another, which its user writes down */
  addressIsTheUsers?: true
  client: ClientAuthentication
  /** other ways in that the vendor accepts too; `client` is the one that its page recommends */
  alsoAccepts: readonly ClientAuthentication[]
  grant: Grant
  /** parameters that must come with these values, or some value where it is `any` */
  requires: Parameters
  /** the same, where the value is of the registration or account, so that whoever configures the client gives it */
  requiresOfUser: Parameters
  /** the same, for what each client asks for in words of its own: an audience, a scope */
  clientAsks: Parameters
  /** parameters that the page lists and does without; what it does not list at all is recorded as strange */
  optional: readonly string[]
  headers: Readonly<Record<string, RegExp>>
  rotation: Rotation
  /** no page says what becomes of a used one: it is emulated as the shown answers look */
  rotationUnknown?: boolean
  /** whether a refresh ends the access token in use */
  oldAccessTokenDies: boolean
  lifetimes: Lifetimes
  /** how the client learns how long an access token lives */
  expiry: 'stated' | 'in the token' | 'by lookup' | 'documented' | 'unknown' | 'never'
  /** how the client learns when the refresh token dies */
  refreshExpiry: 'stated' | 'in the token' | 'documented' | 'unknown'
  /** an answer names the end that no refresh moves beside the other */
  endStated?: true
  /** asking earlier after the last one is refused with `tooEarly` */
  notBeforeSeconds?: number
  /** asking earlier than this returns the token that there is, with what is left of it */
  sameTokenForSeconds?: number
  /** how many seconds before expiry the vendor asks for a refresh */
  vendorLeadSeconds?: number
  budget?: Budget
  mintAccess: Mint
  mintRefresh: Mint
  answer: (minted: Minted) => object | Reply
  /** what the code exchange answers, which a user hands over, where a refresh looks otherwise */
  codeExchange?: (minted: Minted) => object
  /** the same, where the user granted nothing of this kind: tokens that belong to another grant */
  codeExchangeOfOthers?: (minted: Minted) => object
  /** members of that which readers need for as long as the grant lives */
  metadataAtStart?: readonly string[]
  /** names of answer members that a reader of the token needs too, such as the API's base address */
  metadata: readonly string[]
  /** between the scopes of an answer, where that is not a space */
  scopeSeparator?: string
  /** how the API wants the token presented, where that is not as a bearer token */
  scheme?: string
  /** without a parameter or scope in the consent request no refresh token is issued */
  consentAsksForMore?: true
  /** how many refresh tokens live for one user; one more, and the oldest dies */
  tokensPerUser?: number
  /** failed calls get the caller banned */
  bansCallers?: true
  errors: Errors
  revocation?: Revocation
  /** RFC 7662, asked by the client as it revokes */
  introspection?: string
  lookup?: Lookup
}

export type Method = 'POST' | 'GET' | 'DELETE'
export type Encoding = 'form' | 'json' | 'query'
export type Parameters = Readonly<Record<string, string>>

/** Where to knock, and how. */
export interface Door {
  /** as the vendor writes it, with `{placeholders}`; a query in it belongs to the address and must stay */
  url: string
  method: Method
  encoding: Encoding
  /** parameters that may travel in the query although the rest goes into the body */
  mayBeInQuery?: readonly string[]
}

export type ClientAuthentication =
  /** RFC 6749 section 2.3.1; `raw` servers do not undo form-encoding, `either` guess or are not documented */
  | { by: 'basic'; encoding: 'form' | 'raw' | 'either' }
  /** the secret is the user name, there is no password (Stripe) */
  | { by: 'secret as user name' }
  | { by: 'post'; id: string; secret: string }
  | { by: 'none'; id?: string }
  /** RFC 8705: the connection shows it, which these plain doors do not see; nothing else may prove the client */
  | { by: 'certificate' }
  /** RFC 7523 section 2.2 */
  | {
      by: 'signed assertion'
      algorithms: readonly string[]
      audience: string
      maximumSeconds: number
      /** members that its header must have */
      header?: readonly string[]
      /** claims that it must have beside iss and sub */
      needs?: readonly string[]
      /** false where sub is not asked for */
      subject?: false
      /** claims that must be there with these values */
      claims?: Parameters
    }
  /** a signed JWT in the place of the secret (Apple) */
  | { by: 'signed secret'; algorithm: string; issuer: string; audience: string; maximumSeconds: number }
  /** SHA-256 of `secret|refresh token`, as hex (Smartsheet) */
  | { by: 'hash'; id: string; hash: string }
  /** a header of the vendor's own, `{client_id}` and `{client_secret}` filled in */
  | { by: 'header'; name: string; value: string }
  /** nobody is asked; what comes along is ignored */
  | { by: 'anyone' }
  /** the access token itself authorises the call */
  | { by: 'access token' }

export type Grant =
  /** an access token that lives until it is revoked, and nothing to get another with */
  | { kind: 'nothing' }
  | { kind: 'refresh_token'; carried: Carried }
  | { kind: 'client_credentials' }
  /** the access token is traded for a new one, while it lives */
  | { kind: 'exchange'; carried: Carried }
  /** RFC 7523 section 2.1 and its relatives */
  | { kind: 'assertion'; carried: Carried; assertion: Assertion }

export type Carried = { in: 'parameter'; name: string } | { in: 'bearer header' }

export interface Assertion {
  algorithm: string
  audience: string
  maximumSeconds: number
  /** claims that must be there with these values */
  claims: Parameters
  /** claims that must be there */
  needs: readonly string[]
  /** claims that must not */
  refuses?: readonly string[]
}

/** What becomes of a refresh token that was used. */
export type Rotation =
  | { kind: 'none'; answers: 'same' | 'absent' }
  | { kind: 'rotates_old_valid' }
  | { kind: 'grace'; seconds: number; replay: 'new pair' | 'same pair'; reuse: Reuse }
  /** `seconds` is the outer bound; `secondsAfterUse` what is left once the new pair was used */
  | {
      kind: 'until_new_used'
      seconds?: number
      secondsAfterUse?: number
      replay: 'new pair' | 'same pair'
      newestWins: boolean
    }
  | { kind: 'single_use'; reuse: Reuse }

export type Reuse = 'refused' | 'revokes family'

export interface Lifetimes {
  accessSeconds: number
  /** whether a page says so, or it is made up for an answer that says */
  accessDocumented: boolean
  refreshDocumented: boolean
  /** dies unless used for that long */
  refreshIdleSeconds?: number
  /** dies that long after the consent */
  refreshAbsoluteSeconds?: number
  /** of each refresh token, where the page does not say whether a refresh renews it */
  refreshSeconds?: number
}

/** Of one client, or of each of its grants. */
export interface Budget {
  of: 'the client' | 'each grant'
  requests: number
  perSeconds: number
}

export interface Minted {
  access: string
  refresh?: string
  accessSeconds: number
  /** what is left of the refresh token; absent where it does not end by time */
  refreshSeconds?: number
  /** what is left to an end that no refresh moves */
  endsInSeconds?: number
  nowMs: number
  consentedAtMs: number
  account: Readonly<Record<string, string>>
  /** what was sent */
  parameters: Parameters
  headers: Readonly<Record<string, string>>
}

/** Makes a token; `serial` differs for each, `key` signs JWTs. */
export type Mint = (made: {
  serial: string
  nowMs: number
  livesSeconds: number | undefined
  consentedAtMs: number
}) => string

export interface Reply {
  status: number
  headers?: Readonly<Record<string, string>>
  body: object | string
}

/** Each in all the forms that the vendor is known to use; the first is what it answers by itself. */
export interface Errors {
  deadGrant: readonly [Reply, ...Reply[]]
  throttled: readonly [Reply, ...Reply[]]
  clientError: readonly [Reply, ...Reply[]]
  malformed: Reply
  tooEarly?: Reply
  /** a dead grant, a wrong client and an outage all look the same */
  alike?: true
}

export interface Revocation {
  door: Door
  client: ClientAuthentication
  /** where the token goes; absent where the access token that authorises the call is the one that ends */
  parameter?: string
  takes: 'access' | 'refresh' | 'either'
  requires: Parameters
  /** what one call ends; with the consent, what the user granted later goes too */
  ends: 'the token' | 'the grant' | 'the consent'
  success: Reply
  unknownToken: Reply
}

/** Where the expiry of an access token must be asked for. */
export interface Lookup {
  door: Door
  client: ClientAuthentication
  parameter?: string
  /** word before the token in the header; Bearer unless said */
  scheme?: string
  answer: (minted: Minted) => object
}

/** Where only refresh tokens are taken back, a grant without one has nothing to give. */
export const takesBack = ({ revocation, grant }: Profile): boolean =>
  revocation !== undefined && (revocation.takes !== 'refresh' || grant.kind === 'refresh_token')

import { isProven, type RefereeClient, readClaim } from './clients.ts'
import type { FakeAnswer } from './faults.ts'
import type { Decision, Grants, Minted } from './grants.ts'
import { type RequestRecord, secondUse } from './request-log.ts'
import type { TokenMint } from './tokens.ts'

/** A token response as the provider gives it (RFC 6749 section 5.1). */
export interface TokenResponse {
  access_token: string
  token_type: string
  expires_in: number
  /** absent where the client keeps the one that it has, or needs none */
  refresh_token?: string
  scope: string
}

/** A request that was read whole. */
export interface AuthorizationRequest {
  authorization: string
  form: URLSearchParams
}

/** What the provider itself decides and answers: the state of every grant, and the words of the RFCs. */
export class Authorization {
  readonly grants: Grants
  readonly #clients: Map<string, RefereeClient>
  readonly #mint: TokenMint

  constructor(clients: readonly RefereeClient[], grants: Grants, mint: TokenMint) {
    this.grants = grants
    this.#clients = new Map(clients.map((client) => [client.id, { ...client }]))
    this.#mint = mint
  }

  /** The secrets of a client from now on; all others are wrong. */
  setSecrets(client: string, secrets: string[]): void {
    const registered = this.#clients.get(client)
    if (registered === undefined) throw new Error(`no client ${client}`)
    registered.secrets = secrets
  }

  tokenResponse(minted: Minted): TokenResponse {
    return {
      access_token: this.#mint.tokenOf(minted.access),
      token_type: 'Bearer',
      expires_in: minted.expiresInSeconds,
      ...(minted.refresh !== undefined && { refresh_token: this.#mint.tokenOf(minted.refresh) }),
      scope: 'orders',
    }
  }

  idOf(token: string): string | undefined {
    return this.#mint.idOf(token)
  }

  tokenOf(id: string): string {
    return this.#mint.tokenOf(id)
  }

  /** Who asks and about which token, before anything is decided; claims, not proofs. */
  whoAsks(request: AuthorizationRequest): { client?: string; user?: string; family?: string; presented?: string } {
    const claim = readClaim(request.authorization, request.form)
    const named = typeof claim === 'object' && this.#clients.has(claim.clientId) ? claim.clientId : undefined
    const token = request.form.get('refresh_token') ?? request.form.get('token')
    const presented = token === null ? undefined : this.#mint.idOf(token)
    const owner = presented === undefined ? undefined : this.grants.ownerOf(presented)
    const user = owner?.user ?? (this.#clients.get(named ?? '')?.grant === 'client_credentials' ? named : undefined)
    return {
      ...(named !== undefined && { client: named }),
      ...(user !== undefined && { user }),
      ...(owner !== undefined && { family: owner.family }),
      ...(presented !== undefined && { presented }),
    }
  }

  /** The token endpoint: commits, and says what to answer. */
  exchange(request: AuthorizationRequest, record: RequestRecord, nowMs: number): FakeAnswer {
    const client = this.#authenticate(request)
    if (typeof client === 'string') return refuse(record, client)
    const grantType = request.form.get('grant_type')
    if (grantType === null) return refuse(record, 'invalid_request')
    if (grantType !== 'refresh_token' && grantType !== 'client_credentials')
      return refuse(record, 'unsupported_grant_type')
    if ((grantType === 'client_credentials') !== (client.grant === 'client_credentials'))
      return refuse(record, 'unauthorized_client')
    if (grantType === 'client_credentials')
      return this.#decided(this.grants.clientCredentials(client.id, nowMs), record, nowMs)
    const token = request.form.get('refresh_token')
    if (token === null) return refuse(record, 'invalid_request')
    const id = this.#mint.idOf(token)
    if (id === undefined) return refuse(record, 'invalid_grant', 'unknown')
    return this.#decided(this.grants.refresh(client.id, id, nowMs), record, nowMs)
  }

  /** The revocation endpoint (RFC 7009); an unknown or dead token is no error. */
  revoke(request: AuthorizationRequest, record: RequestRecord, nowMs: number, revokesNothing: boolean): FakeAnswer {
    const client = this.#authenticate(request)
    if (typeof client === 'string') return refuse(record, client)
    if (client.revocation === 'absent') return refuse(record, 'not_found')
    const token = request.form.get('token')
    if (token === null) return refuse(record, 'invalid_request')
    const id = this.#mint.idOf(token)
    const died = id !== undefined && !revokesNothing && this.grants.revoke(client.id, id, nowMs)
    record.decision = died ? 'revoked' : 'nothing_revoked'
    if (died) record.committedMs = nowMs
    return { status: 200, body: '' }
  }

  #authenticate({ authorization, form }: AuthorizationRequest): RefereeClient | 'invalid_client' | 'invalid_request' {
    const claim = readClaim(authorization, form)
    if (claim === 'two_methods') return 'invalid_request'
    const client = this.#clients.get(claim?.clientId ?? '')
    return client !== undefined && claim !== undefined && isProven(claim, client) ? client : 'invalid_client'
  }

  #decided(decision: Decision, record: RequestRecord, nowMs: number): FakeAnswer {
    if (decision.kind === 'refused') return refuse(record, 'invalid_grant', decision.why)
    record.committedMs = nowMs
    if (decision.kind === 'second_use') {
      record.secondUse = secondUse(decision.accessRemainingMs)
      return refuse(record, 'invalid_grant', 'reuse')
    }
    const { access, refresh } = decision.minted
    record.decision = 'granted'
    record.rotated = refresh !== undefined
    record.minted = { access, ...(refresh !== undefined && { refresh }) }
    return { status: 200, headers: json, body: JSON.stringify(this.tokenResponse(decision.minted)) }
  }
}

const json = { 'content-type': 'application/json;charset=UTF-8' }

type Refusal =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_grant'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'not_found'

function refuse(record: RequestRecord, error: Refusal, why?: string): FakeAnswer {
  record.decision = 'refused'
  record.error = error
  if (why !== undefined) record.why = why
  const body = JSON.stringify({ error, error_description: `the referee says ${error}` })
  if (error === 'not_found') return { status: 404, headers: json, body }
  if (error !== 'invalid_client') return { status: 400, headers: json, body }
  return { status: 401, headers: { ...json, 'www-authenticate': 'Basic realm="referee"' }, body }
}

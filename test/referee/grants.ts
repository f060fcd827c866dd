import type { RotationClass } from '../../src/credential.ts'
import * as families from './families.ts'
import { accessId, parseTokenId, refreshId, type TokenName } from './tokens.ts'

/** How the provider treats one client. */
export interface ClientRules {
  id: string
  grant: RotationClass | 'client_credentials'
  /** of the class `grace` */
  graceSeconds?: number
  tokenSeconds: number
  /** a refresh ends the access tokens that there are; default: they live on */
  refreshEndsAccess?: boolean
  /** `by_token`: a refresh token takes its family along, an access token goes alone; `ends_consent`: either ends every
   *  family of the user at this client; `absent`: there is no revocation endpoint */
  revocation: 'by_token' | 'ends_consent' | 'absent'
}

/** What an answer brings, by id. */
export interface Minted {
  access: string
  expiresInSeconds: number
  refresh?: string
}

export type Decision =
  | { kind: 'granted'; minted: Minted }
  | { kind: 'refused'; why: 'unknown' | 'other_client' | 'ended' | 'superseded' }
  | { kind: 'second_use'; accessRemainingMs: number }

/** A family as the provider sees it now. */
export interface FamilyView {
  id: string
  user: string
  client: string
  rotation?: RotationClass
  graceMs: number
  /** the refresh tokens that would be accepted now, by id */
  accepted: string[]
  /** the one of the latest answer */
  living?: string
  ended?: { because: families.Ending; atMs: number }
}

/** Every grant of an authorization server, by id; no clock, no secrets, no network: time comes with each call. */
export class Grants {
  readonly #clients: Map<string, ClientRules>
  readonly #families = new Map<string, families.Family>()
  readonly #byUser = new Map<string, string[]>()

  constructor(clients: readonly ClientRules[]) {
    this.#clients = new Map(clients.map((client) => [client.id, client]))
  }

  /** A user consents; what the authorization code exchange would have brought. Earlier families live on. */
  consent(user: string, client: string, nowMs: number): Minted {
    const rules = this.#rules(client)
    if (rules.grant === 'client_credentials') throw new Error(`client ${client} has no users`)
    const family = this.#begin(rules, user, nowMs)
    return { access: accessId(family.id, 1), expiresInSeconds: rules.tokenSeconds, refresh: refreshId(family.id, 1) }
  }

  /** A client presents a refresh token (RFC 6749 section 6). */
  refresh(client: string, tokenId: string, nowMs: number): Decision {
    const name = parseTokenId(tokenId)
    const family = name?.kind === 'refresh' ? this.#families.get(name.family) : undefined
    if (name === undefined || family === undefined) return { kind: 'refused', why: 'unknown' }
    if (family.client !== client) return { kind: 'refused', why: 'other_client' }
    const rules = this.#rules(client)
    const step = families.present(family, name.serial, { nowMs, accessLifetimeMs: rules.tokenSeconds * 1_000 })
    this.#families.set(family.id, step.family)
    const { outcome } = step
    if (outcome.kind !== 'granted') return outcome
    const refresh = outcome.refresh === undefined ? {} : { refresh: refreshId(family.id, outcome.refresh) }
    const access = accessId(family.id, outcome.access.serial)
    return { kind: 'granted', minted: { access, expiresInSeconds: rules.tokenSeconds, ...refresh } }
  }

  /** RFC 6749 section 4.4; all such tokens of a client are one family, whose user is the client. */
  clientCredentials(client: string, nowMs: number): Decision {
    const rules = this.#rules(client)
    const known = this.#of({ user: client, client }).find(({ ended }) => ended === undefined)
    const use = { nowMs, accessLifetimeMs: rules.tokenSeconds * 1_000 }
    if (known === undefined) {
      const { id } = this.#begin(rules, client, nowMs)
      return { kind: 'granted', minted: { access: accessId(id, 1), expiresInSeconds: rules.tokenSeconds } }
    }
    const { family, access } = families.mintAccess(known, use)
    this.#families.set(family.id, family)
    return {
      kind: 'granted',
      minted: { access: accessId(family.id, access.serial), expiresInSeconds: rules.tokenSeconds },
    }
  }

  /** RFC 7009. A token that would not be accepted takes nothing along; says whether anything died. */
  revoke(client: string, tokenId: string, nowMs: number): boolean {
    const name = parseTokenId(tokenId)
    const family = name === undefined ? undefined : this.#families.get(name.family)
    if (name === undefined || family?.client !== client || !lives(family, name, nowMs)) return false
    if (this.#rules(client).revocation === 'ends_consent')
      return this.#end(this.#of({ user: family.user, client }), 'revoked', nowMs) > 0
    if (name.kind === 'refresh') return this.#end([family], 'revoked', nowMs) > 0
    this.#families.set(family.id, families.revokeAccess(family, name.serial))
    return true
  }

  /** The user withdraws: every family ends, at one client or at all. Returns how many did. */
  endConsent(user: string, client: string | undefined, nowMs: number): number {
    return this.#end(this.#of({ user, ...(client !== undefined && { client }) }), 'consent_ended', nowMs)
  }

  /** A complete answer has carried this access token to the client. */
  deliver(tokenId: string): void {
    const name = parseTokenId(tokenId)
    const family = name === undefined ? undefined : this.#families.get(name.family)
    if (name !== undefined && family !== undefined) this.#families.set(family.id, families.deliver(family, name.serial))
  }

  /** Whether a refresh token would be accepted now. */
  accepts(tokenId: string, nowMs: number): boolean {
    const name = parseTokenId(tokenId)
    const family = name?.kind === 'refresh' ? this.#families.get(name.family) : undefined
    return name !== undefined && family !== undefined && lives(family, name, nowMs)
  }

  /** How long an access token is still accepted; 0 when it is not. */
  accessRemainingMs(tokenId: string, nowMs: number): number {
    const name = parseTokenId(tokenId)
    const family = name?.kind === 'access' ? this.#families.get(name.family) : undefined
    return name === undefined || family === undefined ? 0 : families.accessRemainingMs(family, name.serial, nowMs)
  }

  /** Families in the order of their consents. */
  families(of: { user?: string; client?: string }, nowMs: number): FamilyView[] {
    return this.#of(of).map((family) => view(family, nowMs))
  }

  /** Whose token this is. */
  ownerOf(tokenId: string): { user: string; client: string; family: string } | undefined {
    const family = this.#families.get(parseTokenId(tokenId)?.family ?? '')
    return family && { user: family.user, client: family.client, family: family.id }
  }

  #begin(rules: ClientRules, user: string, nowMs: number): families.Family {
    const id = `f${this.#families.size + 1}`
    const rotation = rules.grant === 'client_credentials' ? {} : { rotation: rules.grant }
    const graceMs = (rules.graceSeconds ?? 0) * 1_000
    const use = { nowMs, accessLifetimeMs: rules.tokenSeconds * 1_000 }
    const { refreshEndsAccess = false } = rules
    const consent = { id, user, client: rules.id, ...rotation, graceMs, refreshEndsAccess }
    const family = families.begin(consent, use)
    this.#families.set(id, family)
    this.#byUser.set(user, [...(this.#byUser.get(user) ?? []), id])
    return family
  }

  #end(ending: families.Family[], because: families.Ending, nowMs: number): number {
    const living = ending.filter(({ ended }) => ended === undefined)
    for (const family of living) this.#families.set(family.id, families.end(family, because, nowMs))
    return living.length
  }

  #of({ user, client }: { user?: string; client?: string }): families.Family[] {
    const ids = user === undefined ? [...this.#families.keys()] : (this.#byUser.get(user) ?? [])
    const found = ids.map((id) => this.#families.get(id)).filter((family) => family !== undefined)
    return client === undefined ? found : found.filter((family) => family.client === client)
  }

  #rules(client: string): ClientRules {
    const rules = this.#clients.get(client)
    if (rules === undefined) throw new Error(`no client ${client}`)
    return rules
  }
}

function lives(family: families.Family, name: TokenName, nowMs: number): boolean {
  if (name.kind === 'refresh') return families.accepted(family, nowMs).includes(name.serial)
  return families.accessRemainingMs(family, name.serial, nowMs) > 0
}

function view(family: families.Family, nowMs: number): FamilyView {
  const { id, user, client, rotation, graceMs, ended } = family
  const accepted = families.accepted(family, nowMs).map((serial) => refreshId(id, serial))
  const living = accepted.at(-1)
  return {
    id,
    user,
    client,
    ...(rotation !== undefined && { rotation }),
    graceMs,
    accepted,
    ...(living !== undefined && { living }),
    ...(ended !== undefined && { ended }),
  }
}

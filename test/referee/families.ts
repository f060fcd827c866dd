/** What a provider does with the tokens of one consent: a pure state machine, one value a family. */
import type { RotationClass } from '../../src/credential.ts'

/** Why nothing of a family is accepted any more. */
export type Ending = 'reuse' | 'revoked' | 'consent_ended'

export interface AccessToken {
  serial: number
  expiresAtMs: number
  /** a complete answer has carried it to the client */
  delivered: boolean
}

/** A refresh token that is, or within its grace window was, accepted. */
export interface OpenToken {
  serial: number
  firstUsedMs?: number
}

/** The tokens that descend from one consent. */
export interface Family {
  id: string
  user: string
  client: string
  /** absent for client_credentials: there are no refresh tokens */
  rotation?: RotationClass
  /** of the class `grace` */
  graceMs: number
  /** a refresh ends the access tokens that there are */
  refreshEndsAccess?: boolean
  /** refresh tokens are numbered from 1; the last that was minted, 0 where there is none */
  newest: number
  open: readonly OpenToken[]
  accessMinted: number
  /** those that have neither expired nor been revoked */
  access: readonly AccessToken[]
  ended?: { because: Ending; atMs: number }
}

export type Consent = Pick<Family, 'id' | 'user' | 'client' | 'rotation' | 'graceMs' | 'refreshEndsAccess'>

export interface Use {
  nowMs: number
  accessLifetimeMs: number
}

export type Outcome =
  /** `refresh` where the answer holds a new refresh token */
  | { kind: 'granted'; access: AccessToken; refresh?: number }
  | { kind: 'refused'; why: 'unknown' | 'ended' | 'superseded' }
  /** a spent token came again: the family has ended; the client's access token had this long to live */
  | { kind: 'second_use'; accessRemainingMs: number }

export interface Step {
  family: Family
  outcome: Outcome
}

/** Which refresh tokens are accepted once `used` has bought `minted`. */
type Rotation = (family: Family, used: OpenToken, minted: OpenToken, nowMs: number) => readonly OpenToken[]

const rotations: Record<RotationClass, { next: Rotation; mints: boolean; secondUseEnds: boolean }> = {
  none: { mints: false, secondUseEnds: false, next: ({ open }) => open },
  rotates_old_valid: { mints: true, secondUseEnds: false, next: ({ open }, _, minted) => [...open, minted] },
  // the used token is the old one from now on: what was there beside it, older or an unanswered sibling, is dead
  until_new_used: { mints: true, secondUseEnds: false, next: (_, used, minted) => [{ serial: used.serial }, minted] },
  grace: {
    mints: true,
    secondUseEnds: true,
    next: (family, used, minted, nowMs) => [
      ...family.open.filter((token) => token !== used && isOpen(family, token, nowMs)),
      { serial: used.serial, firstUsedMs: used.firstUsedMs ?? nowMs },
      minted,
    ],
  },
  single_use: { mints: true, secondUseEnds: true, next: (_, __, minted) => [minted] },
}

/** A user consents: refresh token 1 and access token 1, both in the client's hands. */
export function begin(consent: Consent, use: Use): Family {
  const { rotation } = consent
  const refresh = rotation === undefined ? { newest: 0, open: [] } : { newest: 1, open: [{ serial: 1 }] }
  const { family, access } = mintAccess({ ...consent, ...refresh, accessMinted: 0, access: [] }, use)
  return deliver(family, access.serial)
}

/** A client presents a refresh token: what it gets, and what becomes of the family. */
export function present(family: Family, serial: number, use: Use): Step {
  const { rotation, newest, ended } = family
  if (rotation === undefined || serial < 1 || serial > newest) return refused(family, 'unknown')
  if (ended !== undefined) return refused(family, 'ended')
  const used = family.open.find((token) => token.serial === serial && isOpen(family, token, use.nowMs))
  const rules = rotations[rotation]
  if (used !== undefined) return rotate(family, used, use)
  if (!rules.secondUseEnds) return refused(family, 'superseded')
  const accessRemainingMs = deliveredRemainingMs(family, use.nowMs)
  return { family: end(family, 'reuse', use.nowMs), outcome: { kind: 'second_use', accessRemainingMs } }
}

const refused = (family: Family, why: 'unknown' | 'ended' | 'superseded'): Step => ({
  family,
  outcome: { kind: 'refused', why },
})

function rotate(family: Family, used: OpenToken, use: Use): Step {
  const rules = rotations[family.rotation ?? 'none']
  const minted = { serial: family.newest + 1 }
  const open = rules.next(family, used, minted, use.nowMs)
  const access = family.refreshEndsAccess ? [] : family.access
  const rotated = { ...family, open, access, newest: rules.mints ? minted.serial : family.newest }
  const issued = mintAccess(rotated, use)
  const refresh = rules.mints ? { refresh: minted.serial } : {}
  return { family: issued.family, outcome: { kind: 'granted', access: issued.access, ...refresh } }
}

/** One more access token; what a client_credentials request gets. */
export function mintAccess(family: Family, use: Use): { family: Family; access: AccessToken } {
  const serial = family.accessMinted + 1
  const access = { serial, expiresAtMs: use.nowMs + use.accessLifetimeMs, delivered: false }
  const living = family.access.filter(({ expiresAtMs }) => expiresAtMs > use.nowMs)
  return { family: { ...family, accessMinted: serial, access: [...living, access] }, access }
}

/** A complete answer has carried this access token to the client. */
export function deliver(family: Family, accessSerial: number): Family {
  const access = family.access.map((token) => (token.serial === accessSerial ? { ...token, delivered: true } : token))
  return { ...family, access }
}

/** Nothing of the family is accepted from now on, access tokens included. */
export function end(family: Family, because: Ending, nowMs: number): Family {
  return family.ended === undefined ? { ...family, open: [], access: [], ended: { because, atMs: nowMs } } : family
}

export function revokeAccess(family: Family, accessSerial: number): Family {
  return { ...family, access: family.access.filter(({ serial }) => serial !== accessSerial) }
}

/** The refresh tokens that would be accepted now, the living one (of the latest answer) last. */
export function accepted(family: Family, nowMs: number): number[] {
  return family.open.filter((token) => isOpen(family, token, nowMs)).map(({ serial }) => serial)
}

/** How long an access token is still accepted; 0 when it is not. */
export function accessRemainingMs(family: Family, accessSerial: number, nowMs: number): number {
  const token = family.access.find(({ serial }) => serial === accessSerial)
  return Math.max(0, (token?.expiresAtMs ?? nowMs) - nowMs)
}

/** How long the client's best access token lives: one whose answer was lost serves nobody. */
function deliveredRemainingMs(family: Family, nowMs: number): number {
  const delivered = family.access.filter((token) => token.delivered)
  return Math.max(0, ...delivered.map(({ expiresAtMs }) => expiresAtMs - nowMs))
}

const isOpen = (family: Family, { firstUsedMs }: OpenToken, nowMs: number): boolean =>
  firstUsedMs === undefined || nowMs < firstUsedMs + family.graceMs

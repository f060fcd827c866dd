import type { RotationClass } from '../credential.ts'

/** An attempt whose end is unknown, after everything that it may have written was looked at. */
export interface UnknownEnd {
  rotation: RotationClass
  /** the provider's window, for the class `grace` */
  graceMs?: number
  /** `answer_lost`: the attempt itself said so. `timed_out`: nothing was heard of it, or another run had sent */
  how: 'answer_lost' | 'timed_out'
  /** since the refresh token may first have been used */
  sinceFirstUseMs: number
  /** a refresh ends the access token in use: it may be dead already */
  accessTokenDies?: boolean
  /** until the access token ends; 0 or less when it has, or when there is none */
  accessRemainingMs: number
}

/** Whether the same refresh token may be sent again, and when. `atRisk`: it may be the end of the grant. */
export type Replay = {
  inMs: number
  atRisk: boolean
  /** it must have left by then; later, it is decided anew */
  withinMs?: number
}

/** A replay may cost the access token, so it comes just before that is lost anyway. */
const replayBeforeExpiryMs = 10_000

/**
 * Decides, after an attempt whose end is unknown, when its refresh token may be sent again.
 *
 * Nobody has promised that a single-use token survives a second use: the provider may take the whole family, the
 * living access token included (RFC 9700 section 4.14.2). So it waits for as long as that access token serves; where
 * the first use has ended that already, there is nothing to wait for.
 */
export function decideReplay(end: UnknownEnd): Replay {
  switch (end.rotation) {
    case 'none':
    case 'rotates_old_valid':
    case 'until_new_used':
      return { inMs: 0, atRisk: false }
    case 'grace':
      return insideGrace(end) ?? beforeExpiry(end)
    case 'single_use':
      return beforeExpiry(end)
  }
}

function insideGrace({ graceMs = 0, how, sinceFirstUseMs }: UnknownEnd): Replay | undefined {
  // when nothing was heard of the attempt, its first use lies up to half a minute back
  if (how === 'timed_out' && graceMs <= 35_000) return undefined
  const withinMs = graceMs - Math.min(5_000, graceMs / 4) - sinceFirstUseMs
  return withinMs > 0 ? { inMs: 0, atRisk: false, withinMs } : undefined
}

const beforeExpiry = ({ accessRemainingMs, accessTokenDies }: UnknownEnd): Replay => ({
  inMs: accessTokenDies ? 0 : Math.max(0, accessRemainingMs - replayBeforeExpiryMs),
  atRisk: true,
})

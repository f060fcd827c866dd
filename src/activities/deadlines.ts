/** What a provider's entry says of its refresh tokens; absent where it says nothing. */
export interface RefreshTokenRules {
  /** a refresh token dies when it is unused for so long */
  refreshTokenIdleMs?: number
  /** it dies so long after consent, whatever is refreshed */
  refreshTokenAbsoluteMs?: number
  /** stated for each refresh token; nobody says whether a refresh that brings no new one restarts it */
  refreshTokenLifetimeMs?: number
}

/** What is known of the end of a refresh token, counted from now. */
export interface Deadlines {
  /** it dies then, unless a refresh moves that */
  livesMs?: number
  /** it dies then, and no refresh moves it: only the user's consent does */
  endsInMs?: number
}

export interface Answered {
  rules: RefreshTokenRules
  /** what the answer says that is left of the refresh token */
  saidMs?: number | undefined
  /** what it says that is left to an end that no refresh moves */
  saidEndMs?: number | undefined
  /** a new refresh token came */
  rotated: boolean
  /** what was known of the token that was used; absent for a grant that was just handed over */
  before?: (Deadlines & { /** since that became known */ ageMs?: number | undefined }) | undefined
}

/** Two answers name the same end, as far as whole seconds and the way of an answer tell. */
const sameEndMs = 2_000

/**
 * When a refresh token dies, from what an answer says, what the provider's entry says and what was known before.
 *
 * Nobody says in an answer whether its deadline is one that the next refresh moves. So it is looked at: a deadline
 * that a refresh has not moved is absolute, until another refresh does (Keycloak counts an idle time until the
 * session's own end comes first). Where an answer says nothing and the refresh token stays the same, so does its end.
 */
export function deadlines({ rules, saidMs, saidEndMs, rotated, before }: Answered): Deadlines {
  const byRule = before?.endsInMs ?? rules.refreshTokenAbsoluteMs
  const absoluteMs = saidEndMs ?? (rules.refreshTokenAbsoluteMs === undefined ? undefined : byRule)
  const restarted = earliest(saidMs, rules.refreshTokenIdleMs, rotated ? rules.refreshTokenLifetimeMs : undefined)
  if (before === undefined) return known(restarted, absoluteMs)
  if (saidMs !== undefined) return known(restarted, earliest(absoluteMs, stays(saidMs, before) ? saidMs : undefined))
  if (rules.refreshTokenIdleMs !== undefined || rotated) return known(restarted, absoluteMs)
  return known(before.livesMs, earliest(absoluteMs, before.livesMs))
}

/** Whether a refresh has left the deadline where it was. Two refreshes right after each other tell nothing new. */
function stays(saidMs: number, { livesMs, endsInMs, ageMs }: NonNullable<Answered['before']>): boolean {
  if (livesMs === undefined) return false
  const movedMs = saidMs - livesMs
  if (movedMs > sameEndMs) return false
  return ageMs === undefined || ageMs < 2 * sameEndMs ? endsInMs !== undefined : true
}

function known(livesMs: number | undefined, endsInMs: number | undefined): Deadlines {
  const lives = earliest(livesMs, endsInMs)
  return {
    ...(lives === undefined ? {} : { livesMs: lives }),
    ...(endsInMs === undefined ? {} : { endsInMs }),
  }
}

function earliest(...candidates: (number | undefined)[]): number | undefined {
  const given = candidates.filter((candidate) => candidate !== undefined)
  return given.length === 0 ? undefined : Math.min(...given)
}

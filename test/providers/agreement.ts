import type { Behaviour } from '../../src/providers/schema.ts'
import { type Budget, type Profile, takesBack } from '../emulators/profile.ts'

/** One thing that an entry and a vendor's page say differently. */
export interface Disagreement {
  field: string
  entry: unknown
  vendor: unknown
}

type Said = Record<string, [entry: unknown, vendor: unknown]>

/**
 * What no request and no answer shows, read from the pages twice, by different people: classes, windows, deadlines,
 * budgets.
 */
export function disagreements(entry: Behaviour, profile: Profile): Disagreement[] {
  const { lifetimes } = profile
  const said: Said = {
    grant: [entry.grant ?? 'refresh_token', grants[profile.grant.kind]],
    oldAccessTokenDies: [entry.oldAccessTokenDies ?? false, profile.oldAccessTokenDies],
    neverAfterExpiry: [entry.neverAfterExpiry ?? false, profile.grant.kind === 'exchange'],
    notBeforeSeconds: [entry.notBeforeSeconds, profile.notBeforeSeconds],
    minRefreshIntervalSeconds: [entry.minRefreshIntervalSeconds, leastSeconds(profile)],
    refreshBeforeExpirySeconds: [entry.refreshBeforeExpirySeconds, profile.vendorLeadSeconds],
    rateLimit: [entry.rateLimit, ofClient(profile.budget)],
    neverAskAgain: [entry.neverAskAgain ?? false, profile.bansCallers ?? false],
    accessTokenNeverExpires: [entry.accessTokenNeverExpires ?? false, profile.expiry === 'never'],
    accessTokenSeconds: [entry.accessTokenSeconds, lifetimes.accessDocumented ? lifetimes.accessSeconds : undefined],
    revocationEndpoint: [revokesWhatThereIs(entry), takesBack(profile)],
    introspectionEndpoint: [
      entry.introspectionEndpoint !== undefined,
      (profile.introspection ?? profile.lookup?.parameter) !== undefined,
    ],
    consent: [entry.consent !== undefined, profile.consentAsksForMore ?? false],
    endsConsent: [entry.revocation?.endsConsent ?? false, profile.revocation?.ends === 'the consent'],
    ...(profile.grant.kind === 'refresh_token' && ofRefreshTokens(entry, profile)),
  }
  return Object.entries(said)
    .filter(([, [one, other]]) => JSON.stringify(one) !== JSON.stringify(other))
    .map(([field, [one, other]]) => ({ field, entry: one, vendor: other }))
}

function ofRefreshTokens(entry: Behaviour, { rotation, rotationUnknown, lifetimes, tokensPerUser }: Profile): Said {
  const known = lifetimes.refreshDocumented ? lifetimes : undefined
  return {
    // what nobody knows is taken for the worst
    rotation: [entry.rotation ?? 'single_use', rotationUnknown ? 'single_use' : rotation.kind],
    graceSeconds: [entry.graceSeconds, 'seconds' in rotation ? rotation.seconds : undefined],
    refreshTokensPerUser: [entry.refreshTokensPerUser, tokensPerUser],
    refreshTokenIdleSeconds: [entry.refreshTokenIdleSeconds, known?.refreshIdleSeconds],
    refreshTokenAbsoluteSeconds: [entry.refreshTokenAbsoluteSeconds, known?.refreshAbsoluteSeconds],
    refreshTokenLifetimeSeconds: [entry.refreshTokenLifetimeSeconds, known?.refreshSeconds],
  }
}

/** Where only refresh tokens are taken back, a grant without one has nothing to give. */
function revokesWhatThereIs({ revocationEndpoint, revocation, grant = 'refresh_token' }: Behaviour): boolean {
  const takes = revocation?.tokens ?? ['access_token']
  return revocationEndpoint !== undefined && (grant === 'refresh_token' || takes.includes('access_token'))
}

const grants = {
  refresh_token: 'refresh_token',
  client_credentials: 'client_credentials',
  exchange: 'access_token',
  nothing: 'access_token',
  assertion: 'jwt_bearer',
} as const

/** A budget of one grant is a pause between its refreshes. */
function leastSeconds({ sameTokenForSeconds, budget }: Profile): number | undefined {
  if (budget?.of !== 'each grant') return sameTokenForSeconds
  return Math.ceil(budget.perSeconds / budget.requests)
}

const ofClient = (budget: Budget | undefined) =>
  budget?.of === 'the client' ? { requests: budget.requests, perSeconds: budget.perSeconds } : undefined

import { type GrantKind, needsPerson } from '../credential.ts'
import type { TokenSet } from '../oauth/index.ts'
import type { Provider } from '../providers/provider.ts'
import { placeholders, textsIn } from '../providers/template.ts'

/** What is sealed as a grant: enough to go on, to revoke, and to tell readers what an answer need not repeat. */
export interface Grant {
  refresh_token?: string
  /** where the next request needs the one in use */
  access_token?: string
  /** what readers get beside the token */
  values?: Record<string, string>
}

/** Whether the next request names the access token in use: it is exchanged for its successor, or has to come along. */
const sendsAccessToken = (kind: GrantKind, provider: Pick<Provider, 'tokenRequest'> | undefined): boolean =>
  kind === 'access_token' ||
  [provider?.tokenRequest?.add, provider?.tokenRequest?.headers]
    .flatMap(textsIn)
    .flatMap(placeholders)
    .includes('access_token')

/**
 * The grant after an answer: what came new, over what was held.
 *
 * @returns undefined where nothing new came, and what is sealed already goes on
 */
export function grantAfter(
  { refreshToken, accessToken, values }: TokenSet,
  held: Grant | undefined,
  { kind, provider }: { kind: GrantKind; provider: Pick<Provider, 'tokenRequest'> | undefined },
): Grant | undefined {
  const next: Grant = {
    ...held,
    ...(refreshToken !== undefined && { refresh_token: refreshToken }),
    ...(accessToken !== undefined && sendsAccessToken(kind, provider) && { access_token: accessToken }),
    ...(values !== undefined && needsPerson(kind) && { values: { ...held?.values, ...values } }),
  }
  // without what it stands over, it would be the end of the grant
  const whole = kind !== 'refresh_token' || next.refresh_token !== undefined
  const isNew = whole && Object.keys(next).length > 0 && JSON.stringify(next) !== JSON.stringify(held)
  // a new one that is spelled like the old one was sealed for another generation all the same
  return isNew || refreshToken !== undefined ? next : undefined
}

/**
 * The domain's words as types. Imports nothing at run time, so that workflow code may use it.
 */

/** What state a credential is in, as operators and readers see it. */
export const statuses = [
  /** no token yet */
  'pending',
  'active',
  /** refresh failing, the access token is still valid */
  'retrying',
  /** refresh failing, the access token is no longer valid */
  'expired',
  /** a single-use refresh token may be spent and the answer was lost */
  'at_risk',
  /** the client, not the grant, was refused */
  'misconfigured',
  /** the grant was refused: only the user can help */
  'reconnect_required',
  'revoked',
] as const

export type Status = (typeof statuses)[number]

/**
 * What buys access tokens: a refresh token (RFC 6749 section 6), the client itself (section 4.4), an assertion that the
 * client signs (RFC 7523), or the access token in use, which some providers exchange for its successor.
 */
export const grantKinds = ['refresh_token', 'client_credentials', 'jwt_bearer', 'access_token'] as const

export type GrantKind = (typeof grantKinds)[number]

/** Whether a person's consent is behind it: then there is something to keep, and someone to ask again. */
export const needsPerson = (kind: GrantKind) => kind === 'refresh_token' || kind === 'access_token'

/**
 * What a provider does with a refresh token that was used; decides whether an unanswered request may be repeated.
 * `grace` accepts the old token for a window from its first use, `until_new_used` until the new one is used.
 */
export const rotationClasses = ['none', 'rotates_old_valid', 'grace', 'until_new_used', 'single_use'] as const

export type RotationClass = (typeof rotationClasses)[number]

/** A credential's id, taken apart: `tenant/client/subject`. */
export interface CredentialParts {
  tenant: string
  client: string
  subject: string
}

export const credentialPart = /^[A-Za-z0-9._~@|+=%-]{1,255}$/

/**
 * Takes an id apart, or says which part is wrong.
 *
 * @returns the parts, or a sentence for the operator
 */
export function parseCredentialId(id: string): CredentialParts | string {
  const [tenant, client, subject, ...rest] = id.split('/')
  if (tenant === undefined || client === undefined || subject === undefined || rest.length > 0)
    return `credential id ${JSON.stringify(id)} must have three parts, tenant/client/subject; percent-encode a slash inside a part as %2F`
  for (const [name, value] of Object.entries({ tenant, client, subject })) {
    if (credentialPart.test(value)) continue
    const bad = value.match(/[^A-Za-z0-9._~@|+=%-]/u)?.[0]
    const why = bad === undefined ? `must be 1 to 255 characters` : `holds ${JSON.stringify(bad)}`
    return `credential id ${JSON.stringify(id)}: ${name} ${why}; allowed are A-Z a-z 0-9 . _ ~ @ | + = % -, percent-encode the rest`
  }
  return { tenant, client, subject }
}

/**
 * Builds an id, percent-encoding what a part may not hold.
 *
 * @example credentialId('acme', 'google-main', 'alice smith') // 'acme/google-main/alice%20smith'
 */
export function credentialId(tenant: string, client: string, subject: string): string {
  const encode = (text: string) =>
    text.replace(/[^A-Za-z0-9._~@|+=%-]/gu, (character) => encodeURIComponent(character).replace(/[!'()*]/g, hex))
  return [tenant, client, subject].map(encode).join('/')
}

const hex = (character: string) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`

/** The Temporal workflow that keeps a credential alive. */
export const workflowId = (credential: string) => `credential/${credential}`

/** Whose workflow it is: the other way. */
export const credentialOf = (workflowId: string) => workflowId.replace(/^credential\//, '')

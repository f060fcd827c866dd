import type { ExpiryLookup } from '../providers/schema.ts'
import { type ClientIdentity, proofOf } from './client-proof.ts'
import type { Outcome } from './judge.ts'
import { answeredAtMs, lifetimeMs } from './lifetime.ts'
import { memberAt, membersOf } from './members.ts'
import { type Message, write } from './message.ts'

/** A question for the expiry of an access token, which its answer did not say. */
export interface LookupRequest extends ClientIdentity {
  endpoint: string
  accessToken: string
  /** `introspection`: RFC 7662, asked by the client; else the token itself is the bearer */
  by: 'bearer' | 'introspection'
  rules: ExpiryLookup
}

export function lookupMessage({ endpoint, accessToken, by, rules, ...client }: LookupRequest): Message {
  if (by === 'bearer') {
    const authorization = `${rules.scheme ?? 'Bearer'} ${accessToken}`
    return write({ method: 'GET', endpoint, encoding: 'none', parameters: {}, headers: { authorization }, secrets: [] })
  }
  const { parameters, headers, secrets } = proofOf(client, endpoint)
  const asked = { ...parameters, token: accessToken, token_type_hint: 'access_token' }
  return write({ method: 'POST', endpoint, encoding: 'form', parameters: asked, headers, secrets })
}

/** What is left of the token in milliseconds; undefined where the answer does not say, in words that can be true. */
export function lookedUpMs(outcome: Outcome, { rules }: LookupRequest, nowMs: number): number | undefined {
  if (outcome.kind !== 'answered' || outcome.answer.status < 200 || outcome.answer.status > 299) return undefined
  const members = membersOf(parsed(outcome.answer.body))
  if (members === undefined || members.active === false) return undefined
  const { expiresIn = 'exp', expiresInForm = 'epoch_seconds' } = rules
  return lifetimeMs(memberAt(members, expiresIn), answeredAtMs(outcome.answer.date, nowMs), expiresInForm)
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

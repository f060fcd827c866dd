import type { ErrorMatcher, ErrorRules } from '../providers/schema.ts'
import { oauthCode, oauthCodes } from './refusal.ts'

export type Meaning = 'too_early' | 'throttled' | 'client_refused' | 'grant_refused'

/** What an answer says of its error. */
export interface Said {
  status: number
  error?: string | undefined
  errorText?: string | undefined
}

/**
 * What a provider means by an error, in its own words; undefined where its entry does not know it. Where several fit,
 * the one that ends least is taken: a refusal that was none can be found out later, a grant that was given up cannot.
 */
export function meaningOf(said: Said, errors: ErrorRules = {}): Meaning | undefined {
  const order: [Meaning, readonly ErrorMatcher[] | undefined][] = [
    ['too_early', errors.tooEarly],
    ['throttled', errors.throttled],
    ['client_refused', errors.clientRefused],
    ['grant_refused', errors.deadGrant],
  ]
  return order.find(([, matchers = []]) => matchers.some((matcher) => fits(matcher, said)))?.[0]
}

function fits({ code, status, message }: ErrorMatcher, said: Said): boolean {
  const error = said.error?.trim().toLowerCase()
  // a status says little beside a code of the standard, which a server that knows it means
  if (code === undefined && message === undefined && oauthCodes.some((known) => known === oauthCode(error)))
    return false
  const fitsCode = code === undefined || code.toLowerCase() === error
  const fitsStatus = status === undefined || status === said.status
  const fitsMessage = message === undefined || [said.errorText, said.error].some((text) => contains(text, message))
  return fitsCode && fitsStatus && fitsMessage
}

const contains = (text: string | undefined, part: string) => text?.toLowerCase().includes(part.toLowerCase()) === true

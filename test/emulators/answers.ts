import type { Reply } from './profile.ts'

export const jsonReply = (status: number, body: object): Reply => ({ status, body })

/** An answer of the status and members that RFC 6749 section 5.2 names. */
export const oauthError = (status: number, error: string, description?: string): Reply =>
  jsonReply(status, { error, ...(description !== undefined && { error_description: description }) })

export const textReply = (status: number, body: string, headers: Record<string, string> = {}): Reply => ({
  status,
  body,
  headers: { 'content-type': 'text/plain', ...headers },
})

/** Text as a form, the way GitHub answers unless it is asked for JSON. */
export const formReply = (status: number, members: Record<string, string | number>): Reply => ({
  status,
  body: new URLSearchParams(
    Object.entries(members).map(([name, value]): [string, string] => [name, String(value)]),
  ).toString(),
  headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
})

export const isReply = (answer: object): answer is Reply => 'status' in answer && 'body' in answer

export const iso = (epochMs: number) => new Date(epochMs).toISOString()
export const epochSeconds = (epochMs: number) => Math.floor(epochMs / 1000)

import { Buffer } from 'node:buffer'
import type { Decision, Emulator } from './emulator.ts'
import type { Opened } from './server.ts'

/** A request as a person would write it with curl. */
export interface HandWritten {
  method?: string
  /** the vendor's address */
  url: string
  form?: Record<string, string>
  json?: Record<string, unknown>
  headers?: Record<string, string>
}

/** Sends it to where the vendor is emulated. */
export async function ask(opened: Opened, { method = 'POST', url, form, json, headers = {} }: HandWritten) {
  const body = form ? new URLSearchParams(form).toString() : json && JSON.stringify(json)
  const type = form ? 'application/x-www-form-urlencoded' : 'application/json'
  const response = await fetch(opened.at(url), {
    method,
    headers: { ...(body !== undefined && { 'content-type': type }), ...headers },
    ...(body !== undefined && { body }),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, body: readable(text), ...said(opened.last()) }
}

const said = ({ accepted, because }: Decision) => ({ accepted, because })

function readable(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return {}
  }
}

/** RFC 6749 section 2.3.1, form-encoded. */
export function basicOf({ registration: { clientId, clientSecret } }: Emulator): Record<string, string> {
  const pair = [clientId, clientSecret].map((text) => new URLSearchParams({ text }).toString().slice('text='.length))
  return { authorization: `Basic ${Buffer.from(pair.join(':')).toString('base64')}` }
}

export const inBody = ({ registration: { clientId, clientSecret } }: Emulator) => ({
  client_id: clientId,
  client_secret: clientSecret,
})

/** What RFC 6749 section 6 shows. */
export const refreshForm = (token: string) => ({ grant_type: 'refresh_token', refresh_token: token })

/**
 * Texts of an entry with `{name}` in them: parameters of requests, headers, claims. What an endpoint may be filled with
 * is narrower, and said in endpoint.ts.
 */

export const placeholder = /\{([A-Za-z][A-Za-z0-9_-]*)\}/g

/** What a request knows of itself; an entry gives no parameter such a name. */
export const requestNames = ['client_id', 'client_secret', 'refresh_token', 'access_token'] as const

/** The names in braces, each once. */
export function placeholders(template: string): string[] {
  return [...new Set([...template.matchAll(placeholder)].map(([, name]) => name ?? ''))]
}

/**
 * Fills what is known. What is not stays as it stands: whether a name is missing is found out before a request is made.
 *
 * @example fill('Client {client_secret}', { client_secret: 'x' }) // 'Client x'
 */
export const fill = (template: string, values: Readonly<Record<string, string>>): string =>
  template.replaceAll(placeholder, (whole, name: string) =>
    Object.hasOwn(values, name) ? (values[name] ?? '') : whole,
  )

/** The texts of an object, however deep. */
export function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : []
}

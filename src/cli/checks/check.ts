/** One thing that was looked at. `fix` says what to do where it is not as it should be. */
export interface Check {
  check: string
  status: 'ok' | 'warn' | 'fail'
  message: string
  fix?: string
}

export const ok = (check: string, message: string): Check => ({ check, status: 'ok', message })

export const warn = (check: string, message: string, fix: string): Check => ({ check, status: 'warn', message, fix })

export const fail = (check: string, message: string, fix: string): Check => ({ check, status: 'fail', message, fix })

/** The first three of many, and how many more there are. */
export const firstFew = (all: readonly string[]) =>
  `${all.slice(0, 3).join(', ')}${all.length > 3 ? `, and ${all.length - 3} more` : ''}`

/** How long a check waits for a server. */
export const patienceMs = 5000

/** The first line of what went wrong, as an error of a connection tells it. */
export function reasonOf(error: unknown): string {
  // several addresses of one name were tried
  if (error instanceof AggregateError && error.message === '') return reasonOf(error.errors[0])
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? ''
}

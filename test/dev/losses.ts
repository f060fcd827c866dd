import type { Exchange } from '../../src/dev/demo/admin.ts'

/**
 * Users whose newest refresh token never reached anybody: the authorization server rotated, and nobody was there to
 * take the answer. Nothing but a new consent helps them.
 */
export function cutOff(exchanges: readonly Exchange[]): Set<string> {
  const last = new Map<string, Exchange>()
  for (const exchange of exchanges)
    if (exchange.subject !== undefined && exchange.refreshToken !== undefined) last.set(exchange.subject, exchange)
  return new Set([...last].filter(([, { delivered }]) => !delivered).map(([subject]) => subject))
}

/** Refusals other than that of a refresh token whose answer was cut: each is a token that was sent wrongly. */
export function unexplainedRefusals(exchanges: readonly Exchange[]): Exchange[] {
  const spentInVain = new Set(exchanges.filter(({ delivered }) => !delivered).map(({ presented }) => presented))
  return exchanges.filter(
    ({ error, presented }) => error !== undefined && (presented === undefined || !spentInVain.has(presented)),
  )
}

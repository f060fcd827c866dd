/**
 * What a reader tells to whoever counts. Each call is made on the path of a read: it should only count.
 */
export interface ReaderMetrics {
  /** a token was handed out: from memory, from Redis, or from memory because Redis is away */
  served?(from: 'memory' | 'redis' | 'stale'): void
  /** `get` threw this code */
  refused?(code: string): void
  /** Redis was read: how long it took, and `found` or the code of the error */
  read?(tookMs: number, outcome: string): void
  /** a change notice was heard */
  noticed?(): void
  /** a rejected token was reported */
  rejected?(): void
  /** Redis is there, or is not, and why */
  connection?(up: boolean, why?: string): void
}

const nothing = () => undefined

/** All of them, those that nobody counts included. */
export const counted = (metrics: ReaderMetrics): Required<ReaderMetrics> => ({
  served: metrics.served?.bind(metrics) ?? nothing,
  refused: metrics.refused?.bind(metrics) ?? nothing,
  read: metrics.read?.bind(metrics) ?? nothing,
  noticed: metrics.noticed?.bind(metrics) ?? nothing,
  rejected: metrics.rejected?.bind(metrics) ?? nothing,
  connection: metrics.connection?.bind(metrics) ?? nothing,
})

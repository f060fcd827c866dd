/** What the null workflow's parts have in common. */
export const nullQueue = 'null'
export const nullActivityQueue = 'null.activity'

export interface NullInput {
  delayMs: number
  /** carried into the next run */
  dueAtMs?: number
}

/** What the process under load is told, and what it says. */
import type { RedisLocation } from '../../packages/reader/src/index.ts'

/** The first line of its standard input: it holds secrets, so it is no argument. The load ends with the second line. */
export interface ServiceSettings {
  redis: RedisLocation
  key: string
  credentials: string[]
  getsPerSecond: number
  seed: number
}

/** One `get`, from call to answer. Times are epoch milliseconds, as all of this happens on one machine. */
export interface Call {
  credential: string
  startMs: number
  endMs: number
  asked: Ask
  /** absent when it threw */
  token?: { accessToken: string; generation: number; stale: boolean }
  /** what it threw: the code of an error of the reader, the name of any other */
  error?: string
  /** whether it is an error that the package promises */
  typed?: boolean
}

export interface Ask {
  minRemainingMs?: number
  waitMs?: number
  fresh?: true
}

/** What it says of itself when the load has ended. */
export interface Counts {
  calls: number
  /** calls that had no answer ten seconds after the last one began */
  unsettled: number
  /** what nobody caught */
  unhandled: string[]
  served: Record<string, number>
  reads: Record<string, number>
  connections: { up: number; down: Record<string, number> }
}

/** A line of its standard output. */
export type Report = { calls: Call[] } | { counts: Counts }

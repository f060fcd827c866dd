import { findRedis, findTemporal } from '../src/dev/binaries.ts'

/** Fetches what is missing once, before test files that run at the same time would each begin to. */
export async function setup(): Promise<void> {
  const say = (line: string) => console.error(line)
  await Promise.all([findTemporal({ say }), findRedis({ say })])
}

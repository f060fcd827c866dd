import type { Connection } from '../../src/store/connection.ts'

/** What a Redis server has done since it began, as INFO tells it. */
export interface Counters {
  /** calls by command, those inside scripts included */
  commands: Record<string, number>
  bytesIn: number
  bytesOut: number
  /** of this answer, which is counted with the next one */
  answerBytes: number
}

/** what connections send to stay alive, and the questions of the benchmark */
const notCounted = ['ping', 'info']

const question = ['INFO', 'stats', 'commandstats']
/** as it is sent: an array of strings, each behind its length */
const questionBytes = question.reduce((sum, word) => sum + `$${word.length}\r\n${word}\r\n`.length, 4)

export async function readCounters(redis: Connection): Promise<Counters> {
  const text = await redis.sendCommand<string>(question)
  const number = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(text)?.[1] ?? 0)
  const calls = [...text.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)].map(([, name = '', count]) => [
    name,
    Number(count),
  ])
  return {
    commands: Object.fromEntries(calls),
    bytesIn: number('total_net_input_bytes'),
    bytesOut: number('total_net_output_bytes'),
    answerBytes: Buffer.byteLength(text),
  }
}

/** What it did between two readings, for others than who read. */
export function countersBetween(before: Counters, after: Counters) {
  const commands: Record<string, number> = {}
  for (const [name, calls] of Object.entries(after.commands)) {
    const done = calls - (before.commands[name] ?? 0)
    if (done > 0 && !notCounted.includes(name)) commands[name] = done
  }
  return {
    commands,
    // the second question had come in when it was answered, and the first answer had not gone out
    bytesIn: after.bytesIn - before.bytesIn - questionBytes,
    bytesOut: after.bytesOut - before.bytesOut - before.answerBytes,
  }
}

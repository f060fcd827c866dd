/**
 * A service that calls an API over and over, so many calls at a time, all with the token of one credential:
 * `node calling-service.ts CREDENTIAL API CALLERS`, with REDIS_URL and READER_KEY. It prints what its calls came to, a line
 * of JSON at a time, until its standard input ends.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { bearer, createReader } from '../../packages/reader/src/index.ts'

/** One call; its name stands in the header `x-call` of each of its requests. Times are epoch milliseconds. */
export interface ServiceCall {
  call: string
  startMs: number
  endMs: number
  /** the status of the answer, or the code of the error */
  outcome: string
}

const [credential = '', api = '', callers = '0'] = process.argv.slice(2)
const { REDIS_URL = '', READER_KEY } = process.env
const tellEveryMs = 50

let over = false
process.stdin.on('end', () => {
  over = true
})
process.stdin.resume()

const reader = createReader({ redis: REDIS_URL, keys: [READER_KEY] })
const dispatcher = new Agent().compose(bearer(reader, credential))
let finished: ServiceCall[] = []

async function callAgainAndAgain(name: string): Promise<void> {
  for (let made = 1; !over; made++) {
    const call = `${name}.${made}`
    // longer for some than for others: a refresh meets calls at every point of their way
    const url = `${api}?delayMs=${Math.floor(Math.random() * 30)}`
    const startMs = Date.now()
    const outcome = await request(url, { dispatcher, headers: { 'x-call': call } }).then(
      async ({ statusCode, body }) => {
        await body.dump()
        return String(statusCode)
      },
      (error: unknown) => (error instanceof Error ? String('code' in error ? error.code : error.name) : 'unknown'),
    )
    finished.push({ call, startMs, endMs: Date.now(), outcome })
    await sleep(20 + Math.random() * 60)
  }
}

function tell(): void {
  if (finished.length > 0) process.stdout.write(`${JSON.stringify(finished)}\n`)
  finished = []
}

const telling = setInterval(tell, tellEveryMs)
await Promise.all(Array.from({ length: Number(callers) }, (_, index) => callAgainAndAgain(`${credential}#${index}`)))
clearInterval(telling)
tell()
await reader.close()
await dispatcher.close()

/**
 * A service of several readers, each of which calls an API again and again with the token of one credential:
 * `node refused-service.ts CREDENTIAL API FIRST COUNT`, with REDIS_URL and READER_KEY. It ends with its standard input,
 * and prints what its calls came to.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { bearer, createReader } from '../../packages/reader/src/index.ts'

const [credential = '', api = '', first = '0', count = '0'] = process.argv.slice(2)
const { REDIS_URL = '', READER_KEY } = process.env

const outcomes: Record<string, number> = {}
let over = false
process.stdin.on('end', () => {
  over = true
})
process.stdin.resume()

async function serve(name: string): Promise<void> {
  const reader = createReader({ redis: REDIS_URL, keys: [READER_KEY] })
  const dispatcher = new Agent().compose(bearer(reader, credential))
  while (!over) {
    const outcome = await request(api, { dispatcher, headers: { 'x-reader': name } }).then(
      async ({ statusCode, body }) => {
        await body.dump()
        return String(statusCode)
      },
      (error: unknown) => (error instanceof Error ? error.name : 'unknown'),
    )
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
    await sleep(150)
  }
  await reader.close()
  await dispatcher.close()
}

await Promise.all(Array.from({ length: Number(count) }, (_, index) => serve(String(Number(first) + index))))
process.stdout.write(JSON.stringify(outcomes))

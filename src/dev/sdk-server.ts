/**
 * Makes the SDK download the Temporal CLI, a process of its own: `node sdk-server.ts FOLDER VERSION`. The SDK offers
 * no download alone: it starts a server with what it got, which is ended at once.
 */
import { Runtime } from '@temporalio/worker'

// one that is older would be fetched again, also while somebody runs it
const ttl = 365 * 24 * 3_600_000
const [, , downloadDir = '', version = ''] = process.argv
const runtime = Runtime.instance()
try {
  const server = await runtime.createEphemeralServer({
    type: 'dev-server',
    exe: { type: 'cached-download', downloadDir, version, ttl, sdkName: 'perennial', sdkVersion: version },
    namespace: 'default',
    ip: '127.0.0.1',
    port: null,
    ui: false,
    uiPort: null,
    dbFilename: null,
    log: { format: 'json', level: 'error' },
    extraArgs: [],
  })
  await runtime.shutdownEphemeralServer(server)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

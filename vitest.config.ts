import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'packages/*/test/**/*.test.ts'],
    globalSetup: 'test/global-setup.ts',
    // worker threads crash with the native Temporal core (sdk-typescript#876)
    pool: 'forks',
    // each file may start a Temporal server, a Redis and a worker; the machines here have two cores
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
})

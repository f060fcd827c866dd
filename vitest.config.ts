import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'packages/*/test/**/*.test.ts'],
    // npm run crash
    exclude: ['test/crash/**', '**/node_modules/**'],
    // real servers on a machine that others use too: what fails twice is wrong
    retry: 1,
    globalSetup: 'test/global-setup.ts',
    // worker threads crash with the native Temporal core (sdk-typescript#876)
    pool: 'forks',
    // each file may start a Temporal server, a Redis and a worker; the machines here have two cores
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
})

import { defineConfig } from 'vitest/config'

/** `npm run crash`: an attempt is stopped, and a worker killed, at every effect. Minutes of full load, so apart. */
export default defineConfig({
  test: {
    include: ['test/crash/*.test.ts'],
    globalSetup: ['test/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 600_000,
    hookTimeout: 120_000,
  },
})

import { defineConfig } from 'vitest/config'

/** What measures who gets how many turns, and needs the processors for itself. */
const ALONE = ['test/process/fairness.test.ts']

export default defineConfig({
  test: {
    pool: 'forks',
    execArgv: ['--expose-gc'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // `import 'procshare'` in a test is the built package, loaded by Node itself: the same module, and the same
    // addon, as in the children and workers that the test starts.
    server: { deps: { external: [/\/dist\//] } },
    projects: [
      {
        extends: true,
        test: {
          name: 'together',
          include: ['test/{unit,process,crash,conformance,stress}/**/*.test.ts'],
          exclude: ALONE,
          // Most tests wait for processes of their own most of the time.
          maxWorkers: 3,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: 'alone', include: ALONE, maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
    ],
  },
})

import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/{unit,process,crash,conformance,golden,stress}/**/*.test.ts'],
    pool: 'forks',
    execArgv: ['--expose-gc'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // `import 'procshare'` in a test is the built package, loaded by Node itself: the same module, and the same
    // addon, as in the children and workers that the test starts.
    server: { deps: { external: [/\/dist\//] } },
  },
})

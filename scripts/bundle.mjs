// Makes what is published of lib/: a module for each entry and one for what they share, because a process that imports some two hundred
// small ones takes three times as long to start. The declarations are made by tsc.

import path from 'node:path'
import { build } from 'rolldown'

/** What users import, or Node is told to run: lib/entries.ts says these paths. */
const ENTRIES = ['index', 'process/child-main', 'manager/server/server-main', 'manager/client/relay-main']

process.chdir(path.join(import.meta.dirname, '..'))
await build({
  input: Object.fromEntries(ENTRIES.map((entry) => [entry, `lib/${entry}.ts`])),
  platform: 'node',
  external: [/^node:/, 'node-gyp-build', /^msgpackr/],
  transform: { target: 'node20.19' },
  logLevel: 'warn',
  output: {
    dir: 'dist',
    chunkFileNames: 'shared-[hash].js',
    // Names of classes are what users see in errors and debuggers.
    keepNames: true,
    sourcemap: true,
    sourcemapExcludeSources: true,
  },
})

// Builds the published form of lib/ as CommonJS, which `require` and `import` can both load. Nearly everything is in one module, because a
// process that imports some two hundred small modules takes three times as long to start. Each program that Node runs has a module of its
// own. `import` loads an ES module that re-exports the CommonJS one, so there is one state in both cases. tsc generates the declarations;
// dist/package.json marks them as CommonJS. The bundle contains msgpackr: see lib/codec/message-pack.ts.

import { copyFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { build } from 'rolldown'

/** The programs that Node runs; lib/entries.ts contains their paths. */
const PROGRAMS = ['process/child-main', 'manager/server/server-main', 'manager/client/relay-main']

process.chdir(path.join(import.meta.dirname, '..'))
const { output } = await build({
  input: Object.fromEntries(['index', ...PROGRAMS].map((entry) => [entry, `lib/${entry}.ts`])),
  platform: 'node',
  external: [/^node:/, 'node-gyp-build'],
  transform: { target: 'node20.19' },
  logLevel: 'warn',
  output: {
    format: 'cjs',
    dir: 'dist',
    // Within one module, functions call each other directly instead of as properties of exports.
    codeSplitting: { groups: [{ name: 'shared', test: (id) => !PROGRAMS.some((name) => id.endsWith(`${name}.ts`)) }] },
    chunkFileNames: 'shared-[hash].js',
    // Users see the names of classes in errors and debuggers.
    keepNames: true,
    sourcemap: true,
    sourcemapExcludeSources: true,
  },
})

const { exports } = output.find(({ fileName }) => fileName === 'index.js')
writeFileSync('dist/package.json', `${JSON.stringify({ type: 'commonjs' })}\n`)
writeFileSync(
  'dist/index.mjs',
  `import procshare from './index.js'\n\nexport const { ${exports.join(', ')} } = procshare\n`,
)
writeFileSync('dist/index.d.mts', "export * from './index.js'\n")
// Its license requires this.
copyFileSync('node_modules/msgpackr/LICENSE', 'dist/LICENSE-msgpackr')

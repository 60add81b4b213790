// Makes what is published of lib/, as CommonJS, which `require` and `import` can both load: one module with nearly everything, because a
// process that imports some two hundred small ones takes three times as long to start, and a module for each program that Node is told
// to run. `import` gets an ES module that re-exports the CommonJS one, so there is one state however a program loads the package. The
// declarations are made by tsc; dist/package.json says that they, too, are those of CommonJS. msgpackr is in the bundle: see
// lib/codec/message-pack.ts.

import { copyFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { build } from 'rolldown'

/** What Node is told to run: lib/entries.ts says these paths. */
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
    // In one module functions call each other directly, and not as properties of exports.
    codeSplitting: { groups: [{ name: 'shared', test: (id) => !PROGRAMS.some((name) => id.endsWith(`${name}.ts`)) }] },
    chunkFileNames: 'shared-[hash].js',
    // Names of classes are what users see in errors and debuggers.
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
// Its license asks for this.
copyFileSync('node_modules/msgpackr/LICENSE', 'dist/LICENSE-msgpackr')

// Makes build/portable-tests: the package and its tests in a form that every runtime can load. TypeScript is compiled, `using`
// included; `vitest` is ./vitest.mjs; `procshare` is the package itself, with the addon where node-gyp-build looks last, so
// that each platform finds its own.

import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'

const PACKAGE = ['package.json', 'tsconfig.json', 'README.md', 'dist', 'docs', 'examples', 'lib', 'native']
const AS_THEY_ARE = ['test/fixtures', 'test/helpers', 'test/conformance', 'test/portable']
const OWN_ADDON = 'build/Release/procshare.node'

/** @param {{ prebuilt?: boolean }} options - prebuilt: take the own platform's addon from prebuilds/ too */
export function makeTree(folder, { prebuilt = false } = {}) {
  rmSync(folder, { recursive: true, force: true })
  execFileSync(process.execPath, [path.resolve('node_modules/typescript/bin/tsc'), '-p', 'test/portable'], {
    stdio: 'inherit',
  })
  for (const part of PACKAGE) if (existsSync(part)) copy(part)
  for (const part of AS_THEY_ARE) copy(part, (file) => !file.endsWith('.ts') || part.endsWith('fixtures'))

  if (existsSync('prebuilds')) copy('prebuilds')
  if (!prebuilt && existsSync(OWN_ADDON)) {
    const own = path.join(folder, 'prebuilds', `${process.platform}-${process.arch}`)
    rmSync(own, { recursive: true, force: true })
    mkdirSync(own, { recursive: true })
    cpSync(OWN_ADDON, path.join(own, 'procshare.node'))
  }

  const shim = path.join(folder, 'node_modules/vitest')
  mkdirSync(shim, { recursive: true })
  writeFileSync(path.join(shim, 'package.json'), '{ "name": "vitest", "type": "module", "exports": "./vitest.mjs" }\n')
  cpSync('test/portable/vitest.mjs', path.join(shim, 'vitest.mjs'))

  function copy(part, filter = () => true) {
    cpSync(part, path.join(folder, part), { recursive: true, filter })
  }
}

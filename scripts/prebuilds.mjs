// Builds the addon for all platforms, on Linux x64, into prebuilds/, and checks the binaries.
//
//   node scripts/prebuilds.mjs [--check] [--all] [TARGET…]
//
// --check: checks existing binaries only; --all: a missing target is a failure.

import { existsSync, rmSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { inspect } from './prebuilds/inspect.mjs'
import { TARGETS } from './prebuilds/targets.mjs'
import { buildAddon, obstacle } from './prebuilds/toolchains.mjs'

const { values: options, positionals: names } = parseArgs({
  allowPositionals: true,
  options: { check: { type: 'boolean', default: false }, all: { type: 'boolean', default: false } },
})
process.chdir(path.join(import.meta.dirname, '..'))

const unknown = names.filter((name) => !TARGETS.some((target) => target.name.startsWith(name)))
if (unknown.length > 0) throw new RangeError(`No target ${unknown}; there are ${TARGETS.map(({ name }) => name)}`)

let failed = 0
for (const target of TARGETS) {
  if (names.length > 0 && !names.some((name) => target.name.startsWith(name))) continue
  const file = path.join('prebuilds', target.file)
  const reason = options.check ? (existsSync(file) ? undefined : 'it is not there') : obstacle(target)
  if (reason !== undefined) {
    console.log(`${options.all ? 'FAIL' : 'skip'} ${target.name}: ${reason}`)
    if (options.all) failed++
    continue
  }
  const started = performance.now()
  if (!options.check) {
    rmSync(file, { force: true })
    await buildAddon(target, file)
  }
  const { summary, surprises } = inspect(target, file)
  const seconds = Math.round((performance.now() - started) / 1000)
  console.log(`${surprises.length === 0 ? 'ok  ' : 'FAIL'} ${target.name}: ${summary} (${seconds} s)`)
  for (const surprise of surprises) console.log(`     ${surprise}`)
  failed += surprises.length
}
process.exitCode = failed === 0 ? 0 : 1

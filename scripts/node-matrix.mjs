// Runs the tests that depend on the runtime under other major versions of Node, which come from npm. The newest version also
// runs the behaviour tables and the tests that kill processes. These depend on the addon, which is the same file for all versions.
//
//   node scripts/node-matrix.mjs [MAJOR…] [--all] [--cache=FOLDER]        22 24 26 and build/node-matrix by default
//
// --all: the whole suite on each version, which takes three minutes per version on two processors.

import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'

// Fairness depends on the addon and the system, not on the version of Node, and needs an idle machine.
const PROJECT = 'together'
const DEADLINE_MS = 15 * 60_000
const TAIL_LINES = 100
const OF_THE_RUNTIME = [
  ...unitTests(),
  'process/handles',
  'process/waiting',
  'process/dropped',
  'process/worker',
  'process/manager-sharing',
]
const OF_THE_SYSTEM = ['conformance', 'crash', 'process/process', 'process/queue']

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    all: { type: 'boolean', default: false },
    cache: { type: 'string', default: 'build/node-matrix' },
  },
})
const majors = positionals.length > 0 ? positionals : ['22', '24', '26']
const newest = majors.at(-1)

process.chdir(path.join(import.meta.dirname, '..'))
const cache = path.resolve(options.cache)

for (const major of majors) {
  const node = install(major)
  const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()
  const log = path.join(cache, `${major}.log`)
  const { passed, failed, ok } = runTests(node, filesFor(major), path.join(cache, `${major}.json`), log)
  if (!ok) {
    console.log(readFileSync(log, 'utf8').split('\n').slice(-TAIL_LINES).join('\n'))
    process.exitCode = 1
  }
  console.log(
    `Node ${version}: ${passed} passed, ${failed} failed${ok || failed > 0 ? '' : ' (the run itself failed)'}`,
  )
}

function install(major) {
  const system = process.platform === 'win32' ? 'win' : process.platform
  const name = `node-${system}-${process.arch}`
  const folder = path.join(cache, major)
  const node = path.join(folder, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  if (!existsSync(node)) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n')
    const shell = process.platform === 'win32'
    execFileSync('npm', ['install', '--no-save', '--silent', `${name}@${major}`], {
      cwd: folder,
      stdio: 'inherit',
      shell,
    })
  }
  return node
}

/** Without the tests of types and documents, which do not depend on the runtime. */
function unitTests() {
  const ofNoRuntime = ['package-types', 'documentation-links', 'error-messages', 'blocking-documentation']
  const names = readdirSync(path.join(import.meta.dirname, '../test/unit')).filter((name) => name.endsWith('.test.ts'))
  return names.map((name) => `unit/${name}`).filter((name) => !ofNoRuntime.some((part) => name.includes(part)))
}

/** No selection means all. */
function filesFor(major) {
  if (options.all) return []
  return [...OF_THE_RUNTIME, ...(major === newest ? OF_THE_SYSTEM : [])].map((part) => `test/${part}`)
}

function runTests(node, files, results, log) {
  rmSync(results, { force: true })
  const output = openSync(log, 'w')
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${results}`]
  const args = ['node_modules/vitest/vitest.mjs', 'run', '--project', PROJECT, ...reporters, ...files]
  const { status } = spawnSync(node, args, {
    stdio: ['ignore', output, output],
    env: { ...process.env, PATH: `${path.dirname(node)}${path.delimiter}${process.env.PATH}` },
    timeout: DEADLINE_MS,
    killSignal: 'SIGKILL',
  })
  closeSync(output)
  if (!existsSync(results)) return { passed: 0, failed: 0, ok: false }
  const { numPassedTests: passed, numFailedTests: failed } = JSON.parse(readFileSync(results, 'utf8'))
  return { passed, failed, ok: status === 0 && passed > 0 }
}

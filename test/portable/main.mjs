// Runs the tests without vitest, on any runtime: each file of test/unit, process, crash and conformance in a process of its
// own, one after another. A file that crashes or hangs is a failure of that file, not of the run.
//
//   node test/portable/main.mjs [--runtime=NAME] [--prebuilt] [--no-build] [--deadline=SECONDS] [--tests=REGEXP] [PART_OF_PATH…]
//
// Exceptions that are known are in ./exceptions.mjs. Results: build/portable-results/NAME.json, and a log of each file there.
// --tests: only those whose full names match.

import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { exceptionFor, exceptionsIn } from './exceptions.mjs'
import { runFile } from './process.mjs'
import { commandOf, ownRuntime, RUNTIMES } from './runtimes.mjs'
import { makeTree } from './tree.mjs'

const TREE = 'build/portable-tests'
const EXCERPT_LINES = 8
const FOLDERS = ['unit', 'process', 'crash', 'conformance']

const { values: options, positionals: filters } = parseArgs({
  allowPositionals: true,
  options: {
    runtime: { type: 'string', default: ownRuntime() },
    prebuilt: { type: 'boolean', default: false },
    'no-build': { type: 'boolean', default: false },
    deadline: { type: 'string', default: '300' },
    tests: { type: 'string', default: '' },
  },
})

process.chdir(path.join(import.meta.dirname, '../..'))
const name = options.runtime
const runtime = RUNTIMES[name]
if (runtime === undefined) throw new RangeError(`--runtime must be one of ${Object.keys(RUNTIMES).join(', ')}`)
if (!options['no-build']) makeTree(TREE, options)
const command = commandOf(runtime)

const results = path.resolve('build/portable-results')
const logs = path.join(results, name)
rmSync(logs, { recursive: true, force: true })
mkdirSync(logs, { recursive: true })

const total = { passed: 0, failed: 0, skipped: 0, excepted: 0 }
const files = []
for (const file of testFiles()) {
  const exception = exceptionFor(name, file)
  if (exception?.skip) {
    console.log(`skip ${file}: ${exception.reason}`)
    files.push({ file, exception: exception.reason })
    continue
  }
  const log = path.join(logs, file.replaceAll('/', '-'))
  const outcome = await runFile(command, file, {
    runtime: name,
    cwd: TREE,
    log,
    env: runtime.env,
    deadlineMs: Number(options.deadline) * 1000,
    pattern: options.tests,
  })
  files.push({ file, ...tell(file, outcome) })
}

writeFileSync(path.join(results, `${name}.json`), JSON.stringify({ runtime: name, command, ...total, files }, null, 2))
const { passed, failed, skipped, excepted } = total
console.log(`${name}: ${passed} passed, ${failed} failed, ${skipped} skipped, ${excepted} known exceptions`)
process.exitCode = failed > 0 || passed === 0 ? 1 : 0

function testFiles() {
  const all = FOLDERS.flatMap((folder) =>
    readdirSync(path.join('test', folder))
      .filter((file) => file.endsWith('.test.ts'))
      .map((file) => `test/${folder}/${file}`),
  )
  return filters.length === 0 ? all : all.filter((file) => filters.some((filter) => file.includes(filter)))
}

function tell(file, { tests, errors, seconds }) {
  const counts = { passed: 0, failed: errors.length, skipped: 0, excepted: 0 }
  const lines = errors.map(excerpt)
  for (const test of tests) {
    const isExcepted = exceptionFor(name, file, test.name) !== undefined
    if (isExcepted && test.state === 'pass') {
      counts.failed++
      lines.push(`     passes, but is listed as an exception: ${test.name}`)
    } else if (isExcepted) counts.excepted++
    else if (test.state === 'pass') counts.passed++
    else if (test.state === 'skip') counts.skipped++
    else {
      counts.failed++
      lines.push(`     ${test.name} (${test.state})`, excerpt(test.error ?? ''))
    }
  }
  if (options.tests === '' && errors.length === 0) {
    for (const listed of exceptionsIn(name, file).filter((each) => !tests.some((test) => test.name === each))) {
      counts.failed++
      lines.push(`     is listed as an exception, but there is no such test: ${listed}`)
    }
  }
  for (const key of Object.keys(total)) total[key] += counts[key]
  const summary = Object.entries(counts).filter(([key, count]) => count > 0 || key === 'passed')
  const text = summary.map(([key, count]) => `${count} ${key}`).join(', ')
  console.log([`${counts.failed > 0 ? 'FAIL' : 'ok  '} ${file} (${text}, ${seconds} s)`, ...lines].join('\n'))
  return { ...counts, errors, tests }
}

/** Its beginning; all of it is in the results. */
function excerpt(error) {
  return error.split('\n').slice(0, EXCERPT_LINES).join('\n').replace(/^/gm, '       ')
}

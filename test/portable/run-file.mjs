// Runs one test file in this process and writes what comes of each test to a file, line by line, so that a crash leaves
// behind what was done and what was being done.
//
//   run-file.mjs TEST_FILE RESULT_FILE RUNTIME [REGEXP]        only tests whose full names match

import { appendFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { startTests } from '@vitest/runner'
import { expect } from 'vitest'
import { exceptionFor } from './exceptions.mjs'

const TIMEOUT_MS = Number(process.env.TEST_TIMEOUT_MS ?? 60_000)

// The file that this process was started by, if an emulator stands between: children are started by the same.
if (process.env.PROCSHARE_EXEC_PATH !== undefined) process.execPath = process.env.PROCSHARE_EXEC_PATH

const [testFile, resultFile, runtime, pattern = ''] = process.argv.slice(2)
const isWanted = ({ fullTestName }) => new RegExp(pattern).test(fullTestName)
const report = (line) => appendFileSync(resultFile, `${JSON.stringify(line)}\n`)

const runner = {
  config: {
    root: process.cwd(),
    setupFiles: [],
    sequence: { seed: 0, hooks: 'stack', setupFiles: 'list' },
    maxConcurrency: 5,
    testTimeout: TIMEOUT_MS,
    hookTimeout: TIMEOUT_MS,
    retry: 0,
    tags: [],
  },
  importFile: (file) => import(pathToFileURL(file).href),
  onBeforeRunTask(test) {
    const exception = exceptionFor(runtime, testFile, test.fullTestName)
    if (exception?.skip || !isWanted(test)) test.mode = 'skip'
    if (test.mode === 'run') report({ event: 'begin', id: test.id, name: test.fullTestName })
  },
  onAfterRunTask: reportTest,
  extendTaskContext: (context) => Object.assign(context, { expect }),
}

for (const event of ['uncaughtException', 'unhandledRejection']) {
  process.on(event, (error) => report({ event: 'error', message: describeError(error) }))
}

// What a test waits for may keep nothing alive, but the test is not done.
setInterval(() => {}, 1_000_000)

const [file] = await startTests([path.resolve(testFile.replace(/\.ts$/, '.js'))], runner)
for (const test of testsIn(file)) if (test.mode !== 'run' || test.result?.startTime === undefined) reportTest(test)
for (const suite of suitesIn(file)) {
  for (const error of suite.result?.errors ?? []) report({ event: 'error', message: describeError(error) })
}
report({ event: 'done' })
process.exit()

function reportTest(test) {
  if (!isWanted(test)) return
  const state = test.mode === 'run' || test.result?.state === 'fail' ? (test.result?.state ?? 'not run') : 'skip'
  const error = test.result?.errors?.map(describeError).join('\n')
  report({
    event: 'end',
    id: test.id,
    name: test.fullTestName,
    state,
    ms: Math.round(test.result?.duration ?? 0),
    error,
  })
}

function* testsIn(suite) {
  for (const task of suite.tasks) {
    if (task.type === 'test') yield task
    else yield* testsIn(task)
  }
}

function* suitesIn(suite) {
  yield suite
  for (const task of suite.tasks) if (task.type === 'suite') yield* suitesIn(task)
}

function describeError(error) {
  return [error?.stack ?? String(error?.message ?? error), error?.diff].filter(Boolean).join('\n')
}

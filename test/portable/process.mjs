// One test file in a process of the runtime under test: started, waited for until a deadline, and what it has reported.
// Its output goes to a file, because a program that is meant for Windows takes no pipe of Linux.

import { execFileSync, spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'

const LAST_WORDS = 2_000

/** @returns what came of each test, what went wrong outside of tests, and how long it took */
export async function runFile(command, file, { runtime, cwd, log, env, deadlineMs, pattern }) {
  const resultFile = `${log}.jsonl`
  const outputFile = `${log}.log`
  const [program, ...args] = command
  const output = openSync(outputFile, 'w')
  const started = performance.now()
  const end = await new Promise((resolve) => {
    const child = spawn(program, [...args, 'test/portable/run-file.mjs', file, resultFile, runtime, pattern], {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', output, output],
      detached: process.platform !== 'win32',
    })
    let late = false
    const timer = setTimeout(() => {
      late = true
      killTree(child.pid)
    }, deadlineMs)
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (code, signal) => {
      clearTimeout(timer)
      resolve(late ? `not done after ${deadlineMs / 1000} s` : (signal ?? `exit code ${code}`))
    })
  })
  closeSync(output)

  const lines = existsSync(resultFile) ? readFileSync(resultFile, 'utf8').trim().split('\n').map(parse) : []
  const tests = new Map()
  const errors = []
  let done = false
  for (const { event, id, ...line } of lines) {
    if (event === 'begin') tests.set(id, { name: line.name, state: 'not done' })
    else if (event === 'end') tests.set(id, line)
    else if (event === 'error') errors.push(line.message)
    else done = event === 'done'
  }
  if (!done) errors.push(`${end}\n${readFileSync(outputFile, 'utf8').slice(-LAST_WORDS)}`)
  return { tests: [...tests.values()], errors, seconds: Math.round((performance.now() - started) / 100) / 10 }
}

// The last line of a process that was killed may be half a line.
function parse(line) {
  try {
    return JSON.parse(line)
  } catch {
    return {}
  }
}

/** A test has children, so that the whole group ends. */
function killTree(pid) {
  if (process.platform === 'win32') execFileSync('taskkill', ['/pid', pid, '/t', '/f'], { stdio: 'ignore' })
  else process.kill(-pid, 'SIGKILL')
}

// What does not work, or does not apply, on a runtime: which tests fail there and why. They run all the same, and one that
// passes is reported, so that the list does not outlive its reasons; `skip` is for those that crash, hang or take too long.

import { readdirSync } from 'node:fs'

const TURN =
  'waits of a worker or process that ended are given up up to a tenth of a second later: a lock may be reserved for one of them'
const BLOCKED_WORKER = 'terminate() does not end a worker that blocks'
const WORKER_END = 'a worker that ends runs no cleanup hooks, so that its holds last until the process ends'

const CRASH_TESTS = readdirSync(new URL('../crash', import.meta.url))
  .filter((file) => /\.test\.[jt]s$/.test(file))
  .map((file) => `test/crash/${file.replace(/js$/, 'ts')}`)

/** @type {Record<string, { file: string, test?: string | RegExp, reason: string, skip?: true }[]>} */
export const EXCEPTIONS = {
  'node-24-arm64': [
    ...CRASH_TESTS.map((file) => ({ file, reason: 'qemu has no robust mutexes', skip: true })),
    {
      file: 'test/process/exactness.test.ts',
      reason: 'under emulation, a dozen processes that start at once take longer than their deadline',
      skip: true,
    },
  ],
  bun: [
    {
      file: 'test/unit/documentation-examples.test.ts',
      test: 'an example is refused > when it does not come to an end',
      reason: 'the deadline of spawn() does not end a program that loops',
      skip: true,
    },
    {
      file: 'test/unit/package.test.ts',
      test: 'keeps its files to itself',
      reason: 'the error of a path that is not exported has another code',
    },
    {
      file: 'test/unit/pipe.test.ts',
      test: 'a pipe > polls without taking',
      reason: 'AbortSignal.timeout() has other words for its reason',
    },
    {
      file: 'test/process/process.test.ts',
      test: 'the end > by an error (failUnhandled)',
      reason: 'an unhandled rejection ends the process before the parent is told of it',
    },
    {
      file: 'test/process/process.test.ts',
      test: /^output > is complete at the end/,
      reason: 'what a child writes to a pipe just before it exits may be cut off',
    },
    { file: 'test/process/waiting.test.ts', test: /ends cleanly with/, reason: TURN },
  ],
  deno: [
    {
      file: 'test/unit/documentation-examples.test.ts',
      test: 'an example is refused > when an assertion of it fails',
      reason: 'the module that makes assertions throw is not preloaded in a child',
    },
    { file: 'test/unit/lock-waiting.test.ts', test: /another thread works in both forms/, reason: WORKER_END },
    {
      file: 'test/unit/shared-memory.test.ts',
      test: 'SharedMemory > gives a buffer that other threads can share',
      reason: 'claims a version of Node whose Node-API has shared buffers, and has none',
    },
    {
      file: 'test/process/handles.test.ts',
      test: 'all objects travel through process.send as they are',
      reason: 'send() does not ask a typed array for its toJSON(): a SharedArray is to be sent as its handle',
    },
    {
      file: 'test/process/process.test.ts',
      test: 'what is run > gets the environment, options and folder',
      reason: 'a child is given variables and options of its own',
    },
    {
      file: 'test/process/process.test.ts',
      test: 'the end > by a module that does not work (no-such-module.mjs',
      reason: 'other words for a module that is not found',
    },
    {
      file: 'test/process/process.test.ts',
      test: /ends with the scope: by SIGTERM, and five seconds later/,
      reason: 'node:test mocks no timers there',
    },
    { file: 'test/process/waiting.test.ts', test: /ends cleanly with a worker that is terminated/, reason: WORKER_END },
    {
      file: 'test/process/worker-threads.test.ts',
      test: /in the transfer list of a message/,
      reason: 'a buffer that is marked as not transferable is transferred',
    },
    { file: 'test/process/worker-threads.test.ts', test: /counts exactly in many workers/, reason: WORKER_END },
    {
      file: 'test/conformance/conformance.test.ts',
      test: /^workers > .*(while waiting|while it waited|who waits).*blocking$/,
      reason: BLOCKED_WORKER,
    },
    {
      file: 'test/crash/owner-death.test.ts',
      test: 'when the owner is a worker that is terminated while it blocks',
      reason: BLOCKED_WORKER,
      skip: true,
    },
  ],
  'wine-20': windows(),
  'wine-22': windows(),
}

/** Under Wine; the reasons that do not name it hold for Windows as well. */
function windows() {
  const unit = (file) => `test/unit/${file}.test.ts`
  const process = (file) => `test/process/${file}.test.ts`
  const conformance = 'test/conformance/conformance.test.ts'
  return [
    {
      file: unit('documentation-examples'),
      reason: 'the TypeScript compiler that is installed is a program for Linux',
      skip: true,
    },
    { file: process('hostile'), reason: 'damages segments through their files in /dev/shm', skip: true },
    { file: process('hostile-foreign'), reason: 'about sparse files, Python and C programs in /dev/shm', skip: true },
    { file: process('limits'), reason: 'sets limits of Linux: tmpfs, rlimits, users', skip: true },
    { file: process('many-waits'), reason: 'counts threads in /proc', skip: true },
    { file: process('lifetime-leaks'), reason: 'counts descriptors and mappings in /proc', skip: true },
    {
      file: 'test/crash/condition-owner-death.test.ts',
      test: 'a waiter that is killed takes no notification with it (killed after it)',
      reason: 'stops a process with SIGSTOP, which Windows does not have',
    },
    {
      file: process('fairness'),
      test: 'a lock that others take again as soon as they have released it > is had',
      reason: 'limits of some ten milliseconds: Wine takes that long to wake a thread on a busy machine',
    },
    {
      file: conformance,
      test: /^(processes|workers) > Condition > takes the lock again after a timeout however long that takes/,
      reason:
        'needs a message between processes to take less than 60 ms, which it does not under Wine on a busy machine',
    },
  ]
}

/** What is known about a test, or, without a name, about a whole file. */
export function exceptionFor(runtime, file, name) {
  return EXCEPTIONS[runtime]?.find((exception) => {
    if (exception.file !== file) return false
    if (name === undefined || exception.test === undefined) return exception.test === undefined
    return typeof exception.test === 'string' ? name.startsWith(exception.test) : exception.test.test(name)
  })
}

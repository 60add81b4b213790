// What does not work, or does not apply, on a runtime: which tests fail there and why, by their full names. They run all the
// same, and one that passes is a failure of the run, so that the list does not outlive its reasons. `skip` is for those that
// crash, hang, take too long or are decided by chance.

import { readdirSync } from 'node:fs'

/** @typedef {{ file: string, tests?: string[], reason: string, skip?: true }} Exception - without `tests`: a file, to skip */

const unit = (name) => `test/unit/${name}.test.ts`
const inProcesses = (name) => `test/process/${name}.test.ts`
const crash = (name) => `test/crash/${name}.test.ts`
const CONFORMANCE = 'test/conformance/conformance.test.ts'

const CRASH_TESTS = readdirSync(new URL('../crash', import.meta.url))
  .filter((file) => /\.test\.[jt]s$/.test(file))
  .map((file) => `test/crash/${file.replace(/js$/, 'ts')}`)

const NO_HOOKS = 'a worker that ends runs no cleanup hooks, so that its holds last until the process ends'
const STALE_AFTER_EXIT = 'process.exit() runs no hooks of workers: what they had stays until the next sweep'
const BLOCKED_WORKER = 'terminate() does not end a worker that blocks'

/** Those of test/helpers/endless-waits.mjs that are objects. */
const KINDS_OF_WAITS = [
  ...['lock', 'run of a lock', 'lock of a value', 'lock of an array', 'semaphore', 'recoverable', 'event', 'condition'],
  ...['waitFor of a condition', 'lock of a condition', 'end of a wait of a condition', 'barrier', 'entry of a barrier'],
  ...['get', 'getMany', 'for await', 'put', 'putMany', 'join', 'pipe', 'for await of a pipe', 'poll of a pipe'],
  ...['send of a pipe', 'member of a state', 'lock of a member of a state'],
]

/** A top-level await that is never settled, of whatever: Node ends with code 13. */
const unsettledAwait = (reason) => ({
  file: inProcesses('many-waits'),
  tests: [
    ...KINDS_OF_WAITS.flatMap((kind) => {
      const process = `a process that only waits (${kind})`
      return [
        `${process} > stays until the timeout, or without limit, and also after unref() and ref() during the wait`,
        `${process} > ends by itself with code 13 after unref() and leaves nothing behind`,
      ]
    }),
    'a process that waits for objects of all kinds ends by itself after unref() (unref, await with a timeout: code 13)',
    'a process that waits for a word stays until the wait has ended, unless every wait has ref: false',
  ],
  reason,
  skip: true,
})

const OTHER_WORDS = {
  file: inProcesses('fixture'),
  tests: ['reports why a fixture did not become ready'],
  reason: 'other words for a module that is not found',
}

const TLS_ALERT = {
  file: inProcesses('manager-tls'),
  tests: ['a client without TLS at a server with it, and the other way round, are told so'],
  reason: 'a server with TLS answers a client without it, so that the error is ERR_PROTOCOL',
}

/** @type {Exception[]} */
const ARM64 = [
  ...CRASH_TESTS.map((file) => ({ file, reason: 'qemu has no robust mutexes', skip: true })),
  {
    file: inProcesses('exactness'),
    reason: 'under emulation, a dozen processes that start at once take longer than their deadline',
    skip: true,
  },
]

/** @type {Exception[]} */
const BUN = [
  { file: inProcesses('cookbook'), reason: 'starts its programs with options of Node', skip: true },
  {
    file: unit('manager-iteration'),
    tests: [
      'iterating over a managed container > ends the iterator of a method of a registered type when the loop is left early',
    ],
    reason: 'a module in a data: URL of several lines has no exports of its own',
  },
  {
    file: inProcesses('manager-limits'),
    tests: ['a flood of silent clients takes no more than the limits allow, and nothing afterwards'],
    reason: 'connections that are being refused are reset before the client has them',
    skip: true,
  },
  {
    file: inProcesses('manager-limits'),
    tests: [
      'unread replies: the server stops reading from the client, cuts it off if it continues, and frees the memory',
    ],
    reason: 'the server reads it no more, but does not cut it off',
  },
  TLS_ALERT,
  {
    file: unit('documentation-examples'),
    tests: ['an example fails > when it does not end by itself'],
    reason: 'the deadline of spawn() does not end a program that loops',
    skip: true,
  },
  {
    file: unit('package'),
    tests: ['does not export its files'],
    reason: 'the error of a path that is not exported has another code',
  },
  {
    file: unit('pipe'),
    tests: ['a pipe > polls without taking a message'],
    reason: 'AbortSignal.timeout() has other words for its reason',
  },
  OTHER_WORDS,
  unsettledAwait('the process stays, whatever the promise is'),
  {
    file: inProcesses('many-waits'),
    tests: ['process.exit() at once ends a process with pending waits of every kind'],
    reason: STALE_AFTER_EXIT,
    skip: true,
  },
  {
    file: inProcesses('process'),
    tests: ['the end > by an error (failUnhandled) rejects join, with the stack on standard error'],
    reason: 'an unhandled rejection ends the process before the parent is told of it',
  },
  {
    file: inProcesses('process'),
    tests: ['output > is complete at the end, in any amount', 'output > is complete at the end by an error as well'],
    reason: 'what a child writes to a pipe just before it exits may be cut off',
    skip: true,
  },
  {
    file: inProcesses('programs'),
    tests: ['a cluster that counts its requests prints its expected output'],
    reason: 'the workers of a cluster do not share what they listen on, and disconnect() does not end them',
    skip: true,
  },
  {
    file: inProcesses('lifetime-leaks'),
    tests: ['80 workers that end without closing anything leave nothing'],
    reason: 'buffers of a worker that ends are not freed before the process ends',
  },
  {
    file: inProcesses('lifetime'),
    reason: STALE_AFTER_EXIT,
    skip: true,
  },
  {
    file: inProcesses('limits'),
    tests: ['large arrays > of more than four gigabytes work, or are refused before they use memory'],
    reason: 'a buffer of more than 4 GiB is refused by an error of its own',
  },
]

/** @type {Exception[]} */
const DENO = [
  { file: inProcesses('cookbook'), reason: 'starts its programs with options of Node', skip: true },
  {
    file: inProcesses('manager-errors'),
    tests: ['serving > at an unusable address is refused'],
    reason: 'says EINVAL of an address of another host, where Node says EADDRNOTAVAIL',
  },
  {
    file: inProcesses('manager-few-files'),
    tests: ['a blocking call for which there is no room says so, and the next one works'],
    reason: 'the test starts its program without the permissions that Deno asks for',
  },
  {
    file: inProcesses('manager-tls'),
    tests: ['options of TLS that cannot be right are refused, on either side'],
    reason: 'the key of a server is not looked at before a client comes',
  },
  TLS_ALERT,
  {
    file: unit('documentation-examples'),
    tests: ['an example fails > when one of its assertions fails'],
    reason: 'the module that makes assertions throw is not preloaded in a child',
  },
  {
    file: unit('lock-waiting'),
    tests: ['Lock', 'RLock'].flatMap((kind) => [
      `waiting for a ${kind} > that another thread holds works in both forms`,
      `waiting for a ${kind} > with timeoutMs > applies to the blocking forms too, while another thread holds the lock`,
    ]),
    reason: NO_HOOKS,
    skip: true,
  },
  {
    file: unit('shared-memory'),
    tests: ['SharedMemory > returns a buffer that other threads can share, if the runtime can create one'],
    reason: 'claims a version of Node whose Node-API has shared buffers, and has none',
  },
  OTHER_WORDS,
  unsettledAwait('the process ends with code 1 and words of its own, or stays when it has a channel to its parent'),
  {
    file: inProcesses('many-waits'),
    tests: KINDS_OF_WAITS.filter((kind) => kind !== 'word').map(
      (kind) => `a worker that waits is terminated at once > ${kind} (let be)`,
    ),
    reason: NO_HOOKS,
  },
  {
    file: inProcesses('many-waits'),
    tests: [
      'process.exit() at once ends a process with pending waits of every kind',
      ...KINDS_OF_WAITS.filter((kind) => !kind.startsWith('lock')).map(
        (kind) => `a worker that waits is terminated at once > ${kind} (sync)`,
      ),
    ],
    reason: BLOCKED_WORKER,
    skip: true,
  },
  {
    file: inProcesses('handles'),
    tests: ['all objects travel through process.send as they are'],
    reason: 'send() does not ask a typed array for its toJSON(): a SharedArray is to be sent as its handle',
  },
  {
    file: inProcesses('process'),
    tests: ['the function > gets the given environment, options and folder, and no variable of the library'],
    reason: 'a child is given variables and options of its own',
  },
  {
    file: inProcesses('process'),
    tests: ['the end > by a module that does not work (no-such-module.mjs, work) rejects join'],
    reason: 'other words for a module that is not found',
  },
  {
    file: inProcesses('process'),
    tests: ['the state > ends with the scope: by SIGTERM, and five seconds later by SIGKILL'],
    reason: 'node:test mocks no timers there',
  },
  {
    file: inProcesses('shared-state'),
    tests: [
      ...['as a message', 'by its name', 'as handles of its members', 'at its start'],
      'and both wait for and notify elements of an array in it',
    ].map((way) => `a state reaches a worker > ${way}`),
    reason: NO_HOOKS,
    skip: true,
  },
  {
    file: inProcesses('waiting'),
    tests: ['a pending acquisition > ends cleanly with a worker that is terminated or calls process.exit()'],
    reason: NO_HOOKS,
    skip: true,
  },
  {
    file: inProcesses('worker-threads'),
    tests: ['keeps its memory if its buffer is in the transfer list of a message'],
    reason: 'a buffer that is marked as not transferable is transferred',
  },
  {
    file: inProcesses('worker-threads'),
    tests: ['keeps an exact count with concurrent and successive workers'],
    reason: NO_HOOKS,
  },
  { file: inProcesses('lifetime'), reason: NO_HOOKS, skip: true },
  {
    file: inProcesses('lifetime-leaks'),
    tests: ['80 workers that end without closing anything leave nothing'],
    reason: NO_HOOKS,
  },
  {
    file: inProcesses('lifetime-leaks'),
    tests: ['creating and closing leaves nothing: an array of 1 MB, 2000 times'],
    reason: 'takes longer than its deadline, a minute, on a busy machine',
    skip: true,
  },
  {
    file: inProcesses('lifetime-races'),
    tests: ['no process sees an incomplete segment, or waits for one, when its creator is killed'],
    reason: 'takes longer than its deadline, half a minute, on a busy machine',
    skip: true,
  },
  {
    file: inProcesses('limits'),
    tests: [
      'with few descriptors > one segment too many is refused with advice, and works after a close()',
      ...['0', '022', '077', '0777'].map(
        (mask) => `the mode of a segment > is the requested one under a umask of ${mask}`,
      ),
    ],
    reason: 'fork() with another program, here a shell, puts arguments of Deno before those of the program',
  },
  {
    file: inProcesses('fairness'),
    tests: [
      'a lock that other processes acquire again as soon as they have released it > is acquired by each of eight equal processes at least three tenths as often in a second as by any other',
    ],
    reason: 'turns of the event loop take longer there, and by chance one of eight is short',
    skip: true,
  },
  {
    file: CONFORMANCE,
    tests: [
      'Lock > is not held up by one who was killed while it waited',
      'RLock > is not held up by one who was killed while it waited',
      'Semaphore > loses no unit to one who was killed while waiting',
      'BoundedSemaphore > loses no unit to one who was killed while waiting',
      'Condition > notifies one who lives when others were killed while waiting',
      'Event > ends the waits of those who are left when others were killed while waiting',
      'Barrier > is broken by the death of one who waits',
      'wait, waitAsync, notify > wake one who lives when others were killed while waiting',
      'Queue > serves one who lives when others were killed while waiting for an item',
      'Queue > has room for one who lives when others were killed while waiting for it',
      'JoinableQueue > serves one who lives when others were killed while waiting for an item',
      'JoinableQueue > has room for one who lives when others were killed while waiting for it',
      'SimpleQueue > serves one who lives when others were killed while waiting for an item',
      'SimpleQueue > has room for one who lives when others were killed while waiting for it',
    ].map((name) => `workers > ${name}, blocking`),
    reason: BLOCKED_WORKER,
    skip: true,
  },
  {
    file: crash('condition-owner-death'),
    tests: ['a waiter that is killed takes no notification with it (killed after it)'],
    reason: 'a child that has been sent one signal is sent no other, and this one is stopped first',
    skip: true,
  },
  {
    file: crash('condition-owner-death'),
    tests: ['its own lock', 'a given lock'].map(
      (lock) =>
        `when somebody is killed who holds the lock while others wait for a condition with ${lock} > waitSync goes on, and who takes the lock next is told`,
    ),
    reason: NO_HOOKS,
    skip: true,
  },
  {
    file: crash('worker-termination'),
    tests: ['survives workers that are terminated at any moment, also while they load the library'],
    reason: BLOCKED_WORKER,
    skip: true,
  },
  {
    file: crash('waiter-death'),
    tests: ['a waiter that is killed or terminated affects neither the owner nor other waiters'],
    reason: 'what a terminated worker waited for may still be granted to it',
    skip: true,
  },
  {
    file: crash('owner-death'),
    tests: [
      'each of its locks goes at once to its blocking or asynchronous waiter, with abandoned: true',
      'a lock with many waiters goes at once to one of them, the only one with abandoned: true, and then to the others',
    ].map((name) => `when the owner is a worker that is terminated while it blocks > ${name}`),
    reason: BLOCKED_WORKER,
    skip: true,
  },
]

const NO_TCP = 'Wine 8 lets Node listen at a port, but not connect to one'

/** Under Wine; the reasons that do not name it hold for Windows as well. */
const WINDOWS = [
  { file: inProcesses('cookbook'), reason: 'ends processes by SIGTERM, SIGINT and SIGHUP', skip: true },
  {
    file: unit('manager-registered'),
    tests: ['registering > refuses a module that is not there'],
    reason: 'a file: URL has a drive there',
  },
  {
    file: unit('manager'),
    tests: [
      'Manager.serve > takes any free port for port 0, and the key as text or bytes',
      'a connected manager > connects again, to named objects of the next server at the address',
      "the blocking form > gives results instead of promises ({ host: '127.0.0.1', port: +0 })",
    ],
    reason: NO_TCP,
  },
  {
    file: inProcesses('manager-rings'),
    tests: ['a private socket', 'a port'].map(
      (where) =>
        `a client that has much to say at ${where} > goes on in shared memory, is the same client, and leaves nothing`,
    ),
    reason: 'counts descriptors in /proc',
    skip: true,
  },
  {
    file: inProcesses('manager-rings'),
    tests: [
      'has its calls served in the order in which it made them, also while it goes over',
      'sends and receives what is longer than the rings',
    ].map((what) => `a client that has much to say at a port > ${what}`),
    reason: NO_TCP,
    skip: true,
  },
  {
    file: unit('documentation-examples'),
    reason: 'the TypeScript compiler that is installed is a program for Linux',
    skip: true,
  },
  { file: inProcesses('hostile'), reason: 'damages segments through their files in /dev/shm', skip: true },
  { file: inProcesses('hostile-foreign'), reason: 'about sparse files, Python and C programs in /dev/shm', skip: true },
  { file: inProcesses('limits'), reason: 'sets limits of Linux: tmpfs, rlimits, users', skip: true },
  { file: inProcesses('many-waits'), reason: 'counts threads in /proc', skip: true },
  { file: inProcesses('lifetime-leaks'), reason: 'counts descriptors and mappings in /proc', skip: true },
  {
    file: inProcesses('process'),
    tests: ['the end > has an exit code, negative for a signal'],
    reason: 'a process that sends itself a signal ends with code 1',
  },
  {
    file: inProcesses('process'),
    tests: ['the state > ends with the scope: by SIGTERM, and five seconds later by SIGKILL'],
    reason: 'terminate() ends a child at once, and no handler runs',
  },
  {
    file: crash('condition-owner-death'),
    tests: ['a waiter that is killed takes no notification with it (killed after it)'],
    reason: 'stops a process with SIGSTOP, which Windows does not have',
  },
  {
    file: inProcesses('fairness'),
    reason: 'limits of some ten milliseconds: Wine takes that long to wake a thread on a busy machine',
    skip: true,
  },
]

/** @type {Record<string, Exception[]>} */
const EXCEPTIONS = { 'node-24-arm64': ARM64, bun: BUN, deno: DENO, 'wine-20': WINDOWS, 'wine-22': WINDOWS }

/** What is known about a test, or, without a name, about a whole file. */
export function exceptionFor(runtime, file, name) {
  return EXCEPTIONS[runtime]?.find(
    (exception) =>
      exception.file === file &&
      (exception.tests === undefined || (name !== undefined && exception.tests.includes(name))),
  )
}

/** The names of the tests of a file that are listed. */
export function exceptionsIn(runtime, file) {
  return (EXCEPTIONS[runtime] ?? []).filter((exception) => exception.file === file).flatMap(({ tests = [] }) => tests)
}

/** Every exception of every runtime. */
export function allExceptions() {
  return Object.values(EXCEPTIONS).flat()
}

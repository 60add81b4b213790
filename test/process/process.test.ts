import { getEventListeners } from 'node:events'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { text as readAll } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import {
  isMainProcess,
  Lock,
  Process,
  type ProcessOptions,
  parentProcess,
  processName,
  Queue,
  SharedArray,
  SharedMemory,
  ShareError,
  Struct,
  Value,
} from 'procshare'
import { describe, expect, it, vi } from 'vitest'
import { shareError, typeError, valueError } from '../helpers/error-matchers.ts'
import { eventually } from '../helpers/eventually.ts'
import { expectNoLeftovers, segmentsOfThisProcess } from '../helpers/leftovers.ts'
import { isRunning } from '../helpers/running.ts'
import { turns } from '../helpers/turns.ts'

const JOBS = new URL('../fixtures/jobs.mjs', import.meta.url)

expectNoLeftovers()

const job = (name: string, ...args: unknown[]) => new Process(JOBS, { export: name, args })

/** One whose output is not shown. */
const quiet = (name: string, args: unknown[] = [], options: ProcessOptions = {}) =>
  new Process(JOBS, { export: name, args, stdio: 'ignore', ...options })

async function failureOf(child: Process): Promise<ShareError & { cause: Error & { code?: string } }> {
  const error = await child.join().then(
    (code) => expect.fail(`ended with ${code}`),
    (reason) => reason,
  )
  expect(error).toBeInstanceOf(ShareError)
  expect(error.code).toBe('ERR_PROCESS_FAILED')
  return error
}

describe('arguments', () => {
  it('arrive attached, wherever they are in arrays, objects, maps, sets and cycles', async () => {
    using value = new Value('i')
    using array = new SharedArray('i', 2)
    using lock = new Lock()
    const list = [value, { again: value }]
    const record = Object.defineProperty({ array, lock }, '__proto__', { value: 1, enumerable: true })
    const map = new Map<unknown, unknown>([
      ['value', value],
      [value, 'as a key'],
    ])
    const cycle: Record<string, unknown> = { list: [] as unknown[] }
    cycle.self = cycle
    ;(cycle.list as unknown[]).push(cycle.list)
    const child = job('checkNested', value, list, record, map, new Set([value]), cycle).start()
    expect(await child.join()).toBe(0)
    expect(value.value).toBe(1)
    expect([...array]).toEqual([3, 3])
    expect(list).toEqual([value, { again: value }])
    expect(map.get(value)).toBe('as a key')
  })

  it('arrive as structured clones, if they are not shared objects', async () => {
    const sparse = [1, 2, 3]
    delete sparse[1]
    const args = [
      new Date(86_400_000),
      new Map([['a', new Map([[1, 2n]])]]),
      new Set([1, 'b']),
      new Float64Array([0.5, -0]),
      Buffer.from([1, 2, 3]),
      2n ** 70n,
      /x+/giu,
      new RangeError('sent'),
      undefined,
      null,
      NaN,
      sparse,
    ]
    expect(
      await job('checkCloned', ...args)
        .start()
        .join(),
    ).toBe(0)
  })

  it('arrive as the same errors, with causes, properties and shared objects', async () => {
    using value = new Value('i')
    const error = new RangeError('sent', { cause: new TypeError('why') })
    Object.assign(error, { status: 503, value, work: function work() {} })
    expect(
      await job('checkErrors', error, { list: [error] })
        .start()
        .join(),
    ).toBe(0)
    expect(value.value).toBe(1)
  })

  it('that are records of structs arrive as plain objects with all fields', async () => {
    using results = new Queue()
    using table = new SharedArray(Struct({ name: ['c', 8], at: Struct({ x: 'd', y: 'd' }) }), [['Ada', [1, 2]]])
    const record = table[0]!
    expect(
      await job('putAll', results, record, { list: [record] })
        .start()
        .join(),
    ).toBe(0)
    const plain = { name: Buffer.from('Ada'), at: { x: 1, y: 2 } }
    expect(results.getSync()).toEqual([plain, { list: [plain] }])
  })

  it('may be large', async () => {
    const bytes = new Uint8Array(10_000_000).fill(3)
    expect(await job('checkBytes', bytes, 30_000_000).start().join()).toBe(0)
  })

  it.each([
    ['a function', () => {}],
    ['a function deep inside', { list: [new Map([['fn', () => {}]])] }],
    ['a symbol', Symbol('no')],
    ['a promise', Promise.resolve()],
    ['a weak map', new WeakMap()],
  ])('that can be neither shared nor cloned (%s) are refused before anything starts', async (_name, bad) => {
    const child = job('nothing', bad)
    expect(() => child.start()).toThrow(expect.objectContaining({ name: 'DataCloneError' }))
    expect(child.pid).toBeUndefined()
    expect(child.isAlive).toBe(false)
    await expect(child.join()).rejects.toThrow(shareError('ERR_PROCESS_STATE'))
  })

  it('that are closed, or look like the form of a shared object in a message, are refused before the start', () => {
    const value = new Value('i')
    value.close()
    expect(() => job('nothing', [value]).start()).toThrow(shareError('ERR_CLOSED'))
    expect(() => job('nothing', { 'procshare:attach': 1 }).start()).toThrow(valueError(/args/))
  })

  it('that no variable refers to reach the child', async () => {
    const child = new Process(JOBS, { args: [new Value('i'), new SharedMemory(10)] }).start()
    for (let i = 0; i < 5; i++) {
      global.gc?.()
      await new Promise(setImmediate)
    }
    expect(await child.join()).toBe(0)
    // Afterwards nobody does.
    await eventually(() => {
      global.gc?.()
      return segmentsOfThisProcess().length === 0
    })
  })

  it('that cannot be attached are a failure of the child', async () => {
    using value = new Value('i')
    const child = quiet('default', [value]).start()
    value.unlink()
    expect((await failureOf(child)).cause).toMatchObject({ name: 'ShareError', code: 'ERR_STALE_HANDLE' })
  })
})

describe('the function', () => {
  it('is the default export or the named one, and is awaited', async () => {
    using value = new Value('i')
    expect(await new Process(JOBS, { args: [value] }).start().join()).toBe(0)
    expect(await new Process(JOBS, { export: 'addLater', args: [value] }).start().join()).toBe(0)
    expect(value.value).toBe(2)
  })

  it('may be given as a URL, as the text of one, or as a path', async () => {
    using value = new Value('i')
    const path = fileURLToPath(JOBS)
    const relative = `./${path.slice(resolve('.').length + 1)}`
    for (const module of [JOBS, JOBS.href, path, relative]) {
      expect(await new Process(module, { args: [value] }).start().join()).toBe(0)
    }
    expect(value.value).toBe(4)
  })

  it('may be TypeScript where Node can run that', async ({ skip }) => {
    skip(!(process.features as { typescript?: unknown }).typescript, `Node ${process.version} does not strip types`)
    using value = new Value('i')
    const module = new URL('../fixtures/typed-job.ts', import.meta.url)
    expect(await new Process(module, { export: 'addTwo', args: [value] }).start().join()).toBe(0)
    expect(value.value).toBe(2)
  })

  it('is refused if it is invalid', () => {
    expect(() => new Process('jobs.mjs')).toThrow(valueError(/^module/))
    expect(() => new Process('https://example.org/jobs.mjs')).toThrow(valueError(/^module/))
    expect(() => new Process(new URL('https://example.org/jobs.mjs'))).toThrow(valueError(/^module/))
    expect(() => new Process(7 as never)).toThrow(typeError(/^module/))
    const bad: [object, Error][] = [
      [{ args: 7 }, typeError(/args/)],
      [{ export: 7 }, typeError(/export/)],
      [{ name: 7 }, typeError(/name/)],
      [{ detached: 1 }, typeError(/detached/)],
      [{ stdio: 'pip' }, valueError(/stdio/)],
      [{ execPath: 7 }, typeError(/execPath/)],
      [{ exports: 'work' }, expect.objectContaining({ message: expect.stringMatching(/exports/) })],
    ]
    for (const [options, error] of bad) expect(() => new Process(JOBS, options)).toThrow(error)
  })

  it('gets the given environment, options and folder, and no variable of the library', async () => {
    using text = new SharedArray('c', 1_000)
    const env = { ...process.env, GREETING: 'hello' }
    const options: ProcessOptions = { env, execArgv: ['--no-warnings'], cwd: '/', name: 'painter' }
    expect(await new Process(JOBS, { ...options, export: 'describe', args: [text] }).start().join()).toBe(0)
    expect(JSON.parse(text.value.toString())).toEqual({
      name: 'painter',
      main: false,
      cwd: resolve('/'),
      greeting: 'hello',
      ours: Object.keys(process.env).filter((key) => key.includes('PROCSHARE')), // none, but for those of the tests themselves
      execArgv: ['--no-warnings'],
    })
  })
})

describe('the program', () => {
  it('that runs the module is that of this process, or execPath', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'process-'))
    try {
      const execPath = join(directory, 'my-node')
      symlinkSync(process.execPath, execPath)
      for (const [options, argv0] of [
        [{}, process.execPath],
        [{ execPath }, execPath],
      ] as const) {
        using text = new SharedArray('c', 1_000)
        expect(await new Process(JOBS, { ...options, export: 'describeOrigin', args: [text] }).start().join()).toBe(0)
        expect(JSON.parse(text.value.toString()).argv0).toBe(argv0)
      }
      const missing = quiet('nothing', [], { execPath: join(directory, 'none') }).start()
      expect((await failureOf(missing)).cause.code).toBe('ENOENT')
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})

describe('the end', () => {
  it('has an exit code, negative for a signal', async () => {
    expect(await job('nothing').start().join()).toBe(0)
    expect(await job('exit', 3).start().join()).toBe(3)
    expect(await job('setExitCode', 4).start().join()).toBe(4)
    expect(await job('killItself', 'SIGKILL').start().join()).toBe(-9)
    expect(await job('killItself', 'SIGTERM').start().join()).toBe(-15)
    expect(await job('killItself', 'SIGABRT').start().join()).toBe(-6)
  })

  it('does not wait for pending timers of the function', async () => {
    expect(await job('leaveTimer').start().join({ timeoutMs: 20_000 })).toBe(0)
  })

  it.each([
    ['fail', { name: 'RangeError', message: 'failed, as asked', code: 'ERR_ASKED' }, /at fail .*jobs\.mjs/],
    ['failLater', { name: 'TypeError', message: 'failed later, as asked' }, /at failLater .*jobs\.mjs/],
    ['failInTimer', { name: 'Error', message: 'uncaught, as asked' }, /jobs\.mjs/],
    ['failUnhandled', { name: 'Error', message: 'unhandled, as asked' }, /jobs\.mjs/],
  ])('by an error (%s) rejects join, with the stack on standard error', async (name, cause, stack) => {
    const child = new Process(JOBS, { export: name, stdio: 'pipe', name: 'failing' }).start()
    const errors = readAll(child.stderr!)
    const error = await failureOf(child)
    expect(error.message).toBe(`Process "failing" failed with ${cause.name}: ${cause.message}`)
    expect(error.cause).toMatchObject(cause)
    expect(error.cause).toBeInstanceOf(Error)
    expect(await errors).toMatch(stack)
    expect(child.exitCode).toBe(1)
    expect(child.isAlive).toBe(false)
    await expect(child.join()).rejects.toBe(error)
  })

  it('by an error rejects join with all properties of the error, or their texts', async () => {
    using text = new SharedArray('c', 5)
    const { cause } = (await failureOf(quiet('failAtLength', [text]).start())) as {
      cause: TypeError & { status: number; job: unknown; work: unknown; text: unknown; self: unknown[] }
    }
    expect(cause).toBeInstanceOf(TypeError)
    expect([cause.name, cause.message, cause.status, cause.job]).toEqual(['JobError', 'the failure', 503, { id: 7n }])
    expect(cause.stack).toMatch(/at failAtLength .*jobs\.mjs/)
    expect([cause.work, typeof cause.text]).toEqual(['[Function: failAtLength]', 'string'])
    expect(cause.self[0]).toBe(cause)
    const inner = cause.cause as RangeError & Record<string, unknown>
    expect(inner).toBeInstanceOf(RangeError)
    expect([inner.message, inner.code, inner.at]).toEqual(['the cause', 'ERR_CAUSE', new Date(5)])
    const all = inner.cause as AggregateError
    expect(all).toBeInstanceOf(AggregateError)
    expect([all.message, all.errors[0] instanceof SyntaxError, all.errors[1]]).toEqual(['all', true, 'second'])
  })

  it('by another value rejects join with that value, or with an error with its text', async () => {
    const thrown = async (name: string, ...args: unknown[]) => failureOf(quiet(name, args).start())
    const text = await thrown('failWithText')
    expect([text.cause, text.message]).toEqual(['only a text', expect.stringMatching(/failed with only a text$/)])
    expect((await thrown('failWith', 'object')).cause).toEqual({ reason: 'an object', list: [1n] })
    expect(await thrown('failWith', 'undefined')).toMatchObject({
      message: expect.stringMatching(/failed with undefined$/),
    })
    expect((await thrown('failWith', 'function')).cause).toEqual(new Error('[Function: failWith]'))
    const aborted = (await thrown('failWith', 'abort')).cause
    expect([aborted instanceof DOMException, aborted.name]).toEqual([true, 'AbortError'])
    expect((await thrown('failWith', 'refusing')).cause).toBeInstanceOf(Error)
  })

  it('by an error rejects join even if the exit of the child is noticed before its last message', async ({ skip }) => {
    skip(process.platform !== 'linux', 'whether a child has ended is seen in /proc')
    using awaited = new Lock()
    using ready = new Value('i')
    const guard = awaited.acquireSync()
    const failing = quiet('failAfter', [ready, awaited]).start()
    await eventually(() => ready.value === 1)
    const other = new Process(JOBS, { export: 'print', args: ['text'], stdio: 'pipe' }).start()
    other.stdout!.once('data', () => {
      // The event loop has both the output and the end of this child before it; that end makes it look at all children.
      guard.release()
      while (isRunning(failing.pid!));
    })
    await turns()
    while (isRunning(other.pid!));
    expect((await failureOf(failing)).cause).toMatchObject({ name: 'RangeError', code: 'ERR_ASKED' })
    expect(await other.join()).toBe(0)
  })

  it.each([
    ['broken-module.mjs', 'work', /broken, as asked/],
    ['no-such-module.mjs', 'work', /Cannot find module/],
    ['jobs.mjs', 'noSuchExport', /exports no function "noSuchExport": it exports addLater, /],
    ['jobs.mjs', 'notAFunction', /exports no function "notAFunction"/],
  ])('by a module that does not work (%s, %s) rejects join', async (file, name, message) => {
    const module = new URL(`../fixtures/${file}`, import.meta.url)
    const child = new Process(module, { export: name, stdio: 'pipe' }).start()
    const errors = readAll(child.stderr!)
    expect((await failureOf(child)).cause.message).toMatch(message)
    expect(await errors).toMatch(message)
    expect(child.exitCode).toBe(1)
  })

  it('by a program that cannot be started rejects join', async () => {
    const child = quiet('nothing', [], { cwd: '/no/such/folder' }).start()
    expect((await failureOf(child)).cause.code).toBe('ENOENT')
    expect(child.isAlive).toBe(false)
    expect(() => child.terminate()).not.toThrow()
    await child[Symbol.asyncDispose]()
  })

  it('has no effect on this process if a failure is not joined', async () => {
    const child = quiet('fail').start()
    await eventually(() => child.exitCode === 1)
    await new Promise(setImmediate)
  })
})

describe('join', () => {
  it('ends after timeoutMs while the child continues, and may be called repeatedly', async () => {
    using held = new Lock()
    using lock = new Lock()
    using ready = new Value('i')
    const guard = lock.acquireSync()
    await using child = quiet('holdAndWait', [held, ready, lock, 'idle']).start()
    await expect(child.join({ timeoutMs: 20 })).rejects.toThrow(
      shareError('ERR_TIMEOUT', /^Process "Process-\d+" did not end within 20 ms$/),
    )
    await expect(child.join({ timeoutMs: 0 })).rejects.toThrow(shareError('ERR_TIMEOUT'))
    expect(child.isAlive).toBe(true)
    guard.release()
    expect(await Promise.all([child.join(), child.join({ timeoutMs: 20_000 })])).toEqual([0, 0])
    expect(await child.join({ timeoutMs: 0 })).toBe(0)
  })

  it('ends with the reason when its signal aborts', async () => {
    using held = new Lock()
    using lock = new Lock()
    using ready = new Value('i')
    using _guard = lock.acquireSync()
    await using child = quiet('holdAndWait', [held, ready, lock, 'idle']).start()
    const controller = new AbortController()
    const reason = new Error('enough')
    const joining = child.join({ signal: controller.signal })
    controller.abort(reason)
    await expect(joining).rejects.toBe(reason)
    const { signal } = new AbortController()
    await expect(child.join({ signal, timeoutMs: 1 })).rejects.toThrow(shareError('ERR_TIMEOUT'))
    expect(getEventListeners(signal, 'abort')).toEqual([])
    await expect(child.join({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    await expect(child.join({ timeoutMs: -1 })).rejects.toThrow(RangeError)
    expect(child.isAlive).toBe(true)
  })

  it('and terminate and kill need a started process, and start one that is not', async () => {
    const child = job('nothing')
    await expect(child.join()).rejects.toThrow(shareError('ERR_PROCESS_STATE'))
    expect(() => child.terminate()).toThrow(shareError('ERR_PROCESS_STATE'))
    expect(() => child.kill()).toThrow(shareError('ERR_PROCESS_STATE'))
    await child[Symbol.asyncDispose]()
    child.start()
    expect(() => child.start()).toThrow(shareError('ERR_PROCESS_STATE'))
    expect(await child.join()).toBe(0)
    expect(() => child.start()).toThrow(shareError('ERR_PROCESS_STATE'))
    child.terminate()
    child.kill()
    expect(child.exitCode).toBe(0)
  })
})

describe('the state', () => {
  it('of a process is in isAlive, exitCode, pid, name and inspect', async () => {
    using held = new Lock()
    using lock = new Lock()
    using ready = new Value('i')
    using _guard = lock.acquireSync()
    const child = quiet('holdAndWait', [held, ready, lock, 'idle'], { name: 'worker bee' })
    expect([child.isAlive, child.exitCode, child.pid, child.stdout]).toEqual([false, null, undefined, null])
    expect(inspect(child)).toBe('Process { worker bee pid=- initial }')
    child.start()
    expect([child.isAlive, child.exitCode]).toEqual([true, null])
    expect(inspect(child)).toBe(`Process { worker bee pid=${child.pid} started }`)
    await eventually(() => ready.value === child.pid)
    expect(held.owner).toEqual({ pid: child.pid, threadId: 0 })
    child.kill()
    expect(await child.join()).toBe(-9)
    expect([child.isAlive, child.exitCode]).toEqual([false, -9])
    expect(inspect(child)).toBe(`Process { worker bee pid=${child.pid} stopped exitCode=-9 }`)
    expect(held.acquireSync().abandoned).toBe(true)
  })

  it('includes a different name for each process', () => {
    const [first, second] = [job('nothing'), job('nothing')]
    expect(first.name).toMatch(/^Process-\d+$/)
    expect(second.name).not.toBe(first.name)
  })

  it.each(['idle', 'blocked', 'computing', 'asleep'])('%s does not prevent terminate()', async (how) => {
    using held = new Lock()
    using lock = new Lock()
    using ready = new Value('i')
    using _guard = lock.acquireSync()
    const child = quiet('holdAndWait', [held, ready, lock, how]).start()
    await eventually(() => ready.value === child.pid)
    child.terminate()
    expect(await child.join()).toBe(-15)
    expect(held.acquireSync({ timeoutMs: 1_000 }).abandoned).toBe(true)
  })

  it('ends with the scope: by SIGTERM, and five seconds later by SIGKILL', async () => {
    using ready = new Value('i')
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const child = quiet('ignoreTerm', [ready]).start()
      while (ready.value !== child.pid) await new Promise(setImmediate)
      const disposed = child[Symbol.asyncDispose]()
      await vi.advanceTimersByTimeAsync(4_999)
      expect(child.isAlive).toBe(true)
      await vi.advanceTimersByTimeAsync(1)
      await disposed
      expect(child.exitCode).toBe(-9)
    } finally {
      vi.useRealTimers()
    }
  })
})

describe('output', () => {
  it("is read from stdout and stderr with stdio 'pipe'", async () => {
    const child = new Process(JOBS, { export: 'print', args: ['hello'], stdio: 'pipe' }).start()
    const output = Promise.all([readAll(child.stdout!), readAll(child.stderr!)])
    expect(await child.join()).toBe(0)
    expect(await output).toEqual(['hello\n', 'not hello\n'])
  })

  it("is discarded with stdio 'ignore'", async () => {
    const child = quiet('print', ['hello']).start()
    expect([child.stdout, child.stderr]).toEqual([null, null])
    expect(await child.join()).toBe(0)
  })

  it('is complete at the end, in any amount', async () => {
    const child = new Process(JOBS, { export: 'printMuch', args: [1], stdio: 'pipe' }).start()
    const output = await readAll(child.stdout!)
    expect(await child.join()).toBe(0)
    expect(output.length).toBe(2 ** 20)
    expect(output.endsWith('y')).toBe(true)
  })

  it('is complete at the end by an error as well', async () => {
    const child = new Process(JOBS, { export: 'printMuchAndFail', args: [1], stdio: 'pipe' }).start()
    const output = Promise.all([readAll(child.stdout!), readAll(child.stderr!)])
    await failureOf(child)
    const [out, err] = await output
    expect(out.length).toBe(2 ** 20)
    expect(err).toContain('failed, as asked')
  })
})

describe('isMainProcess and processName', () => {
  async function portrait(name: string, ...more: unknown[]): Promise<unknown> {
    using text = new SharedArray('c', 1_000)
    const args = name === 'delegate' ? [...more, text] : [text]
    expect(await new Process(JOBS, { export: name, args, name: 'parent' }).start().join()).toBe(0)
    return JSON.parse(text.value.toString())
  }

  it('distinguish the program from its children and grandchildren', async () => {
    expect([isMainProcess, processName]).toEqual([true, 'MainProcess'])
    expect(await portrait('describe')).toMatchObject({ main: false, name: 'parent' })
    expect(await portrait('delegate', 'describe')).toMatchObject({ main: false, name: 'parent-child' })
  })

  it('and parentProcess name the process that started a process', async () => {
    expect(parentProcess).toBeUndefined()
    const parent = { name: 'MainProcess', pid: process.pid }
    expect(await portrait('describeOrigin')).toMatchObject({ parent, inWorker: parent })
    const grandchild = (await portrait('delegate', 'describeOrigin')) as { parent: { pid: number } }
    expect(grandchild.parent).toEqual({ name: 'parent', pid: expect.any(Number) })
    expect(grandchild.parent.pid).not.toBe(process.pid)
  })

  it('are those of a program in a process that a child starts in another way', async () => {
    expect(await portrait('describeSpawned')).toEqual({ main: true, name: 'MainProcess' })
  })

  it('are those of the process in its workers', async () => {
    expect(await portrait('describeWorker')).toEqual({ main: false, name: 'parent' })
  })
})

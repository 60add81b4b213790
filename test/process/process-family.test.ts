import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Lock, removeStaleSegments, Value } from 'procshare'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { now, StallWatch } from '../helpers/clock.ts'
import { eventually } from '../helpers/eventually.ts'
import { type FixtureProcess, type Peer, runProgram, spawnFixture, startWorker, together } from '../helpers/fixture.ts'
import { segmentsOfThisProcess } from '../helpers/leftovers.ts'
import { isRunning, killLeftover } from '../helpers/running.ts'

/** A second of grace, and what it takes to notice and to end. */
const ENDS_WITHIN_MS = 2_500
/** The same on a machine that others keep busy, as timers of the test's own that are so late tell. */
const LATEST_MS = 15_000
const STALLED_MS = 50
const ORPHANER = fileURLToPath(new URL('../fixtures/orphaner.mjs', import.meta.url))

// A process that is killed lets go of its locks a moment before it lets go of its segments. What it then leaves, being the
// last, is swept away by whoever creates a segment next.
afterEach(() =>
  eventually(() => {
    removeStaleSegments()
    return segmentsOfThisProcess().length === 0
  }),
)

/** What a child of a family holds, how it says that it is there, and what it waits for. */
class Ties implements Disposable {
  readonly held = new Lock()
  readonly ready = new Value('i')
  readonly awaited = new Lock()
  readonly guard = this.awaited.acquireSync()

  readonly handles = [this.held.handle, this.ready.handle, this.awaited.handle]

  /** The process id of the child, when it holds what it is to hold. */
  pid(): Promise<number> {
    return eventually(() => this.ready.value)
  }

  /** Waits for the end of the child, and gives the time. */
  async ended(): Promise<number> {
    const guard = await this.held.acquire({ timeoutMs: 20_000 })
    guard.release()
    expect(guard.abandoned).toBe(true)
    return now()
  }

  static forEach(items: unknown[]): Ties[] & Disposable {
    const ties = items.map(() => new Ties())
    const dispose = () => {
      for (const tie of ties) tie[Symbol.dispose]()
    }
    return Object.assign(ties, { [Symbol.dispose]: dispose })
  }

  [Symbol.dispose](): void {
    killLeftover(this.ready.value)
    for (const object of [this.held, this.ready, this.awaited]) object.close()
  }
}

const quiet = { stdio: 'ignore' }

describe('a child ends with the process that started it', () => {
  const states = ['idle', 'blocked', 'computing', 'asleep']

  const endings: [string, (head: FixtureProcess) => void][] = [
    ['is killed', (head) => void head.child.kill('SIGKILL')],
    ['calls process.exit()', (head) => void head.call('exit', 0).catch(() => {})],
  ]

  it.each(endings)('when that %s, at any point of the child', async (_how, end) => {
    using ties = Ties.forEach(states)
    await using heads = await together(states.map(() => spawnFixture('family-head')))
    await Promise.all(heads.map((head, i) => head.call('start', 'holdAndWait', ties[i]!.handles, quiet, states[i])))
    await Promise.all(ties.map((tie) => tie.pid()))
    using watch = new StallWatch()
    const start = now()
    for (const head of heads) end(head)
    const took = (await Promise.all(ties.map((tie) => tie.ended()))).map((time) => time - start)
    const maxMs = watch.worstMs() < STALLED_MS ? ENDS_WITHIN_MS : LATEST_MS
    for (const [i, ms] of took.entries()) expect({ [states[i]!]: ms < maxMs || ms }).toEqual({ [states[i]!]: true })
  })

  it('even if it is a grandchild', async () => {
    using ties = new Ties()
    await using head = await spawnFixture('family-head')
    await head.call('start', 'delegateHold', ties.handles, quiet, 'computing')
    await ties.pid()
    using watch = new StallWatch()
    const start = now()
    head.child.kill('SIGKILL')
    const took = (await ties.ended()) - start
    expect(took).toBeLessThan(watch.worstMs() < STALLED_MS ? 2 * ENDS_WITHIN_MS : LATEST_MS)
  })

  it('even if that was a worker that is terminated', async () => {
    using ties = new Ties()
    await using head = await startWorker('family-head')
    await head.call('start', 'holdAndWait', ties.handles, quiet, 'idle')
    await ties.pid()
    await head.terminate()
    await ties.ended()
  })

  it('and keeps it alive until then', async () => {
    using ties = new Ties()
    await using head = await spawnFixture('family-head')
    await head.call('start', 'holdAndWait', ties.handles, quiet, 'idle')
    await ties.pid()
    head.call('letEnd').catch(() => {})
    let ended = false
    void head.exit.then(() => {
      ended = true
    })
    // A twin without a child shows when the head would have ended.
    await using twin = await spawnFixture('family-head')
    twin.call('letEnd').catch(() => {})
    await twin.ended()
    expect(ended).toBe(false)
    ties.guard.release()
    expect(await head.ended()).toEqual({ code: 0, signal: null })
  })
})

describe('a child that is stopped before it has loaded ends when it continues', () => {
  it.each([
    ['a Process', 'process'],
    ['a detached Process, which has not been told that it is one', 'detached'],
    ['the server of a manager', 'manager'],
  ])('if its parent was killed right after the fork: %s', async (_what, kind) => {
    await expectToEnd(kind, 'at once')
  })

  it.each([
    ['a Process', 'process'],
    ['the server of a manager', 'manager'],
  ])('if its parent was killed after it had sent the task: %s', async (_what, kind) => {
    await expectToEnd(kind, 'after the message')
  })

  async function expectToEnd(kind: string, when: string): Promise<void> {
    const parent = spawn(process.execPath, [ORPHANER, kind, when], { stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = once(parent, 'exit')
    const [line] = await once(parent.stdout, 'data')
    const pid = Number(line)
    onTestFinished(() => killLeftover(pid))
    expect(await ended).toEqual([null, 'SIGKILL'])
    expect(isRunning(pid)).toBe(true)
    process.kill(pid, 'SIGCONT')
    await eventually(() => !isRunning(pid))
  }
})

describe('a detached child', () => {
  const endings: [string, (head: Peer & FixtureProcess) => void, object][] = [
    ['is killed', (head) => void head.child.kill('SIGKILL'), { code: null, signal: 'SIGKILL' }],
    ['calls process.exit()', (head) => void head.call('exit', 3).catch(() => {}), { code: 3, signal: null }],
    ['has nothing more to do', (head) => void head.call('letEnd').catch(() => {}), { code: 0, signal: null }],
  ]

  it.each(endings)('lives on when the process that started it %s', async (_how, end, exit) => {
    using ready = new Value('i')
    using awaited = new Lock()
    using count = new Value('i')
    const guard = awaited.acquireSync()
    await using head = await spawnFixture('family-head')
    const handles = [ready.handle, awaited.handle, count.handle]
    await head.call('start', 'outlive', handles, { ...quiet, detached: true })
    const pid = await eventually(() => ready.value)
    onTestFinished(() => killLeftover(pid))
    end(head)
    expect(await head.ended()).toEqual(exit)
    expect(isRunning(pid)).toBe(true)
    guard.release()
    await eventually(() => count.value === pid)
    await eventually(() => !isRunning(pid))
  })

  it.each<[string, (head: Peer, ready: () => Promise<number>) => Promise<[Promise<unknown>]>]>([
    [
      'as soon as it was started',
      async (head) => [head.call('join')], // before it has attached to what it was given
    ],
    [
      'when it is at work',
      async (head, ready) => {
        await ready()
        return [head.call('join')]
      },
    ],
    [
      'also when another join has given up meanwhile',
      async (head, ready) => {
        await ready()
        const joined = head.call('join')
        joined.catch(() => {})
        await expect(head.call('join', { timeoutMs: 1 })).rejects.toThrow(
          expect.objectContaining({ code: 'ERR_TIMEOUT' }),
        )
        return [joined]
      },
    ],
  ])('can be joined, which keeps its parent: %s', async (_when, join) => {
    using ready = new Value('i')
    using awaited = new Lock()
    using count = new Value('i')
    const guard = awaited.acquireSync()
    await using head = await spawnFixture('family-head')
    const handles = [ready.handle, awaited.handle, count.handle]
    let child = 0
    const pid = async () => {
      child = await eventually(() => ready.value)
      return child
    }
    onTestFinished(() => killLeftover(child))
    await head.call('start', 'outlive', handles, { ...quiet, detached: true })
    const [joined] = await join(head, pid)
    joined.catch(() => {})
    head.call('letEnd').catch(() => {}) // the join alone keeps it alive
    await pid()
    guard.release()
    expect(await joined).toBe(0)
    expect(await head.ended()).toEqual({ code: 0, signal: null })
  })

  it('does not keep its parent alive after a join that timed out', async () => {
    using ready = new Value('i')
    using awaited = new Lock()
    using count = new Value('i')
    using guard = awaited.acquireSync()
    await using head = await spawnFixture('family-head')
    const handles = [ready.handle, awaited.handle, count.handle]
    await head.call('start', 'outlive', handles, { ...quiet, detached: true })
    const pid = await eventually(() => ready.value)
    onTestFinished(() => killLeftover(pid))
    await expect(head.call('join', { timeoutMs: 1 })).rejects.toThrow(expect.objectContaining({ code: 'ERR_TIMEOUT' }))
    head.call('letEnd').catch(() => {})
    expect(await head.ended()).toEqual({ code: 0, signal: null })
    expect(isRunning(pid)).toBe(true)
    guard.release()
    await eventually(() => !isRunning(pid))
  })
})

it('a module that starts a process when it is imported is an error, not an endless chain of processes', async () => {
  await using program = runProgram('unguarded')
  expect(await program.ended()).toEqual({ code: 0, signal: null })
  expect(await program.output()).toBe('imported\nimported\nERR_PROCESS_FAILED ERR_PROCESS_IMPORT\n')
})

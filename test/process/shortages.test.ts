/** What runs out: shared memory, descriptors, threads. Every operation says so, leaves nothing behind, and works again later. */
import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { Manager, Queue, Value } from 'procshare'
import { describe, expect, it } from 'vitest'
import { noCompiler } from '../helpers/c-compiler.ts'
import { type FixtureProcess, spawnFixture } from '../helpers/fixture.ts'
import { uniqueName } from '../helpers/segment-names.ts'
import { makeThreadShim } from '../helpers/shims.ts'

interface Outcome {
  readonly error?: {
    name: string
    code: string
    message: string
    wantedBytes?: number
    freeBytes?: number
  }
  readonly result?: unknown
}

/** Why file systems cannot be mounted here; undefined when they can. */
const noMounts = (() => {
  if (process.platform !== 'linux') return 'not Linux'
  try {
    execFileSync('unshare', ['-m', 'sh', '-c', 'mount -t tmpfs tmpfs /dev/shm'], { stdio: 'pipe' })
    return undefined
  } catch (error) {
    return String(error).split('\n')[0]
  }
})()
if (noMounts !== undefined) console.log(`Skipped: no file system of one's own here: ${noMounts}`)

/** A fixture that is started by a shell command in mounts of its own. */
function spawnMounted(command: string): Promise<FixtureProcess> {
  const execArgv = ['-m', 'sh', '-c', `${command} && exec "$0" "$@"`, process.execPath, '--expose-gc']
  return spawnFixture('shortage-user', { name: uniqueName(), isAlone: true }, { execPath: 'unshare', execArgv })
}

function spawnUnder(command: string, env: Record<string, string> = {}): Promise<FixtureProcess> {
  const execArgv = ['-c', `${command} && exec "$0" "$@"`, process.execPath, '--expose-gc']
  const options = { execPath: 'sh', execArgv, env: { ...process.env, ...env } }
  return spawnFixture('shortage-user', { name: uniqueName() }, options)
}

const SYNC = { result: [3, 2, 100_000] }

describe.skipIf(noMounts)('with little shared memory', () => {
  it('an object that does not fit is refused with wantedBytes and freeBytes, and leaves nothing', async () => {
    await using child = await spawnMounted('mount -t tmpfs -o size=64k tmpfs /dev/shm')
    const outcomes = await child.call<Record<string, Outcome & { leaves: object }>>('makeAll')
    const refused = Object.entries(outcomes).filter(([, { error }]) => error !== undefined)
    const large = ['SharedMemory', 'SharedArray', 'Queue', 'JoinableQueue', 'SimpleQueue', 'Pipe', 'SharedState']
    for (const kind of large) expect(outcomes[kind], kind).toHaveProperty('error.code')
    for (const [kind, { error, leaves }] of refused) {
      expect(error, kind).toMatchObject({ name: 'ShareError', code: 'ENOSPC', freeBytes: expect.any(Number) })
      expect(error!.wantedBytes, kind).toBeGreaterThan(error!.freeBytes!)
      expect(error!.freeBytes, kind).toBeLessThanOrEqual(65_536)
      expect(error!.message, kind).toMatch(/\(\d+ bytes wanted, \d+ free\).*--shm-size/)
      expect(leaves, kind).toEqual({ files: 0, names: 0 })
    }
    expect(await child.call('names')).toEqual([])
  })

  it('an object of several parts leaves nothing if there is room for one part only', async () => {
    await using child = await spawnMounted('mount -t tmpfs -o size=2m tmpfs /dev/shm')
    // The filler itself takes up to a page more than what it is for.
    for (const room of [0, 4096, 8192, 12_288]) {
      const filler = await child.call('fill', room)
      const outcomes =
        await child.call<Record<string, Outcome & { leaves: { files: number; names: number } }>>('makeAll')
      if (room === 0) for (const [kind, { error }] of Object.entries(outcomes)) expect(error?.code, kind).toBe('ENOSPC')
      expect(await child.call('names'), `${room} bytes`).toEqual([filler])
      await child.call('drain')
    }
    expect(await child.call('names')).toEqual([])
    const outcomes = await child.call<Record<string, Outcome>>('makeAll')
    expect(outcomes.Value).toHaveProperty('leaves.names', 0)
    expect(outcomes.Value?.error).toBeUndefined()
  })

  it('a large item of a queue is refused, and the queue keeps working', async () => {
    await using child = await spawnMounted('mount -t tmpfs -o size=512k tmpfs /dev/shm')
    const { refused, fits } = await child.call<{ refused: Outcome[]; fits: boolean }>('spill')
    for (const { error } of refused) {
      expect(error).toMatchObject({ name: 'ShareError', code: 'ENOSPC', wantedBytes: expect.any(Number) })
    }
    expect(fits).toBe(true)
    expect(await child.call('names')).toEqual([])
  })

  it('a manager can be started and used in the blocking form', async () => {
    await using child = await spawnMounted('mount -t tmpfs -o size=4k tmpfs /dev/shm')
    expect(await child.call('startManager')).toEqual({})
    expect(await child.call('sync')).toEqual(SYNC)
    expect(await child.call('sync')).toEqual(SYNC)
    await child.call('stopManager')
  })
})

describe.skipIf(noMounts)('without shared memory', () => {
  const NONE = [
    'mkdir -p "$D" && touch "$D/null" "$D/urandom" "$D/random"',
    'mount --bind /dev/null "$D/null" && mount --bind /dev/urandom "$D/urandom" && mount --bind /dev/random "$D/random"',
    'mount --rbind "$D" /dev',
  ].join(' && ')

  it('every object is ERR_NO_SHARED_MEMORY, and a manager works in both forms', async () => {
    const folder = `/tmp/${uniqueName('dev')}`
    try {
      await using child = await spawnMounted(`D=${folder} && ${NONE}`)
      const outcomes = await child.call<Record<string, Outcome>>('makeAllWithoutNames')
      for (const [kind, { error }] of Object.entries(outcomes)) {
        expect(error, kind).toMatchObject({ name: 'ShareError', code: 'ERR_NO_SHARED_MEMORY' })
        expect(error!.message, kind).toMatch(/^This system has no shared memory: \/dev\/shm does not exist\. Mount/)
      }
      expect(await child.call('attachMissing')).toMatchObject({ error: { code: 'ENOENT' } })
      expect(await child.call('list')).toMatchObject({ error: { code: 'ERR_NO_SHARED_MEMORY' } })
      expect(await child.call('startManager')).toEqual({})
      expect(await child.call('sync')).toEqual(SYNC)
      await child.call('stopManager')
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

describe.skipIf(process.platform !== 'linux')('without descriptors', () => {
  it('every object is refused and leaves nothing, and can be created when there are some again', async () => {
    await using child = await spawnUnder('ulimit -n 256')
    await child.call('makeAll') // what is made once: the sweep, code that is loaded late
    const before = await child.call<number>('openFiles')
    for (const left of [2, 3]) {
      await child.call('useUpFiles', left)
      const outcomes = await child.call<Record<string, Outcome & { leaves: object }>>('makeAll')
      for (const [kind, { error, leaves }] of Object.entries(outcomes)) {
        if (error === undefined) continue
        expect(error, kind).toMatchObject({ name: 'ShareError', code: 'EMFILE' })
        expect(leaves, kind).toEqual({ files: 0, names: 0 })
      }
      expect(await child.call('freeFiles')).toBeLessThanOrEqual(before)
    }
    for (const [kind, { error }] of Object.entries(await child.call<Record<string, Outcome>>('makeAll'))) {
      expect(error, kind).toBeUndefined()
    }
  })

  it.each<[string, (value: Value<'i'>) => unknown, unknown]>([
    ['a large one', () => new Uint8Array(5_000), 5_000],
    ['one with a shared object in it', (value) => [value], 7],
    ['a large one with a shared object in it', (value) => [value, new Uint8Array(5_000)], 7],
  ])(
    'an item that cannot be taken is the next one that is taken when there are some again: %s',
    async (_what, make, told) => {
      using queue = new Queue<unknown>({ byteLength: 1024, spill: true })
      using value = new Value('i', 7)
      await using child = await spawnUnder('ulimit -n 256')
      await child.call('attachQueue', queue.handle)
      for (const way of ['tryGet', 'getSync', 'get', 'getManySync', 'getMany']) {
        for (const before of [[], ['first']]) {
          for (const left of [0, 1, 2]) {
            const items = [...before, make(value), 'last']
            for (const item of items) queue.putSync(item)
            const taken: unknown[] = []
            const take = async (): Promise<Outcome> => {
              const outcome = await child.call<Outcome>('take', way)
              taken.push(...((outcome.result as unknown[] | undefined) ?? []))
              return outcome
            }
            await child.call('useUpFiles', left)
            for (let i = 0; i < items.length && taken.length < items.length; i++) {
              const { error } = await take()
              if (error !== undefined) expect(error, way).toMatchObject({ name: 'ShareError', code: 'EMFILE' })
            }
            if (left === 0) expect(taken, way).toEqual(before)
            await child.call('freeFiles')
            while (taken.length < items.length) expect(await take(), way).not.toHaveProperty('error')
            expect(taken, way).toEqual([...before, told, 'last'])
          }
        }
      }
      expect(queue.size).toBe(0)
    },
  )

  it('a process and a manager are refused, and can be started later', async () => {
    await using child = await spawnUnder('ulimit -n 256')
    expect(await child.call('startProcess')).toEqual({ result: 0 })
    const before = await child.call('openFiles')
    await child.call('useUpFiles')
    const refused = { error: { name: 'ShareError', code: 'EMFILE', message: expect.stringMatching(/ulimit -n/) } }
    expect(await child.call('startProcess')).toMatchObject(refused)
    expect(await child.call('startManager')).toMatchObject(refused)
    expect(await child.call('freeFiles')).toBe(before)
    expect(await child.call('startProcess')).toEqual({ result: 0 })
    expect(await child.call('startManager')).toEqual({})
    await child.call('stopManager')
  })
})

const noShim = process.platform !== 'linux' ? 'not Linux' : noCompiler
if (noShim !== undefined) console.log(`Skipped: ${noShim}`)

describe.skipIf(noShim)('without threads', () => {
  it('a wait that needs one is refused with EAGAIN, and works later', async () => {
    using shim = makeThreadShim()
    await using child = await spawnUnder('true', shim.env)
    writeFileSync(shim.flag, '')
    for (const [kind, { error }] of Object.entries(await child.call<Record<string, Outcome>>('wait'))) {
      expect(error, kind).toMatchObject({
        name: 'ShareError',
        code: 'EAGAIN',
        message: expect.stringMatching(/cannot start another thread.*ulimit -u/),
      })
    }
    rmSync(shim.flag)
    for (const [kind, { error }] of Object.entries(await child.call<Record<string, Outcome>>('wait'))) {
      expect(error, kind).toMatchObject({ name: 'ShareError', code: expect.stringMatching(/^ERR_(TIMEOUT|BROKEN)/) })
    }
  })

  it('the blocking form of a manager that needs one for its relay is refused, and works later', async () => {
    await using manager = await Manager.start({ address: { host: '127.0.0.1', port: 0 }, authkey: 'key' })
    using shim = makeThreadShim()
    await using child = await spawnUnder('export PROCSHARE_AUTHKEY=key', shim.env)
    expect(await child.call('connect', manager.address)).toEqual({})
    writeFileSync(shim.flag, '')
    const refused = await child.call<Outcome>('sync')
    if (refused.error !== undefined) expect(refused.error).toMatchObject({ name: 'ShareError', code: 'EAGAIN' })
    rmSync(shim.flag)
    expect(await child.call('sync')).toEqual(SYNC)
  })
})

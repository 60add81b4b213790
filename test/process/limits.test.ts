/** At the limits: no room, no descriptors, no permission, and sizes from one gigabyte to the absurd. */
import { constants } from 'node:buffer'
import { existsSync, readdirSync, statfsSync, statSync } from 'node:fs'
import { freemem } from 'node:os'
import { RawArray, SharedArray, SharedMemory, Struct, Value } from 'procshare'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rangeError, shareError } from '../helpers/error-matchers.ts'
import { type FixtureProcess, spawnFixture } from '../helpers/fixture.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { namePrefix, uniqueName } from '../helpers/segment-names.ts'

expectNoLeftovers()

interface Attempt {
  readonly value?: number
  readonly error?: { name: string; code: string; message: string; syscall?: string }
}

const DONE: Attempt = {}
const run = (child: FixtureProcess, ...call: [string, ...unknown[]]) => child.call<Attempt>('run', ...call)

/** A fixture whose program is started by a shell command, which ends in `exec "$0" "$@"`. */
function spawnUnder(program: string, programArgs: string[], command: string, args: object): Promise<FixtureProcess> {
  const execArgv = [...programArgs, '-c', `${command} && exec "$0" "$@"`, process.execPath, '--expose-gc']
  return spawnFixture('lifetime-limits', args, { execPath: program, execArgv })
}

/** Tries to start a fixture that needs rights that not everybody has; gives why it cannot be had. */
async function tryToStart(start: () => Promise<FixtureProcess>, what: string): Promise<FixtureProcess | undefined> {
  try {
    return await start()
  } catch (error) {
    console.log(`Skipped: ${what}: ${String(error).trim().split('\n').at(-1)}`)
    return undefined
  }
}

const MEGABYTE = 2 ** 20

describe('with one megabyte of shared memory', () => {
  const mounted = (options: string) => () =>
    spawnUnder('unshare', ['-m', 'sh'], `mount -t tmpfs -o ${options} tmpfs /dev/shm`, { name: uniqueName() })

  it('a segment without room is refused with advice and leaves nothing, and a smaller one works', async (context) => {
    await using child = await tryToStart(mounted('size=1m'), "no file system of one's own here")
    if (child === undefined) return context.skip()
    const noRoom = {
      error: {
        name: 'ShareError',
        code: 'ENOSPC',
        syscall: 'posix_fallocate',
        message: expect.stringMatching(
          /^There is not enough shared memory for segment "too large".*`df \/dev\/shm`.*--shm-size/,
        ),
      },
    }
    expect(await run(child, 'SharedMemory', 1, 'too large', 2 * MEGABYTE)).toEqual(noRoom)
    expect(await run(child, 'SharedMemory', 1, 'too large', 2 * MEGABYTE, { persist: true })).toEqual(noRoom)
    expect(await run(child, 'SharedArray', 1, 'too large', MEGABYTE / 8)).toEqual(noRoom)
    expect(await child.call('names')).toEqual([])

    expect(await run(child, 'SharedMemory', 1, 'half', MEGABYTE / 2)).toEqual(DONE)
    expect(await run(child, 'SharedMemory', 2, 'too large', (MEGABYTE * 3) / 4)).toEqual(noRoom)
    expect(await child.call('sparse', 'sparse', (MEGABYTE * 3) / 4)).toMatchObject({ error: { code: 'ENOSPC' } })
    expect(await run(child, 'SharedArray', 2, 'quarter', MEGABYTE / 4 / 8)).toEqual(DONE)
    expect(await run(child, 'Value', 3, 'counter')).toEqual(DONE)

    const { count, error } = await child.call<{ count: number; error: unknown }>('exhaust')
    expect(count).toBeGreaterThan(10)
    expect(error).toMatchObject({ code: 'ENOSPC' })
    for (const kind of ['Value', 'Lock', 'open']) {
      expect(await run(child, kind, 4, 'one more')).toMatchObject({ error: { code: 'ENOSPC' } })
    }
    expect(await run(child, 'update', 3)).toEqual({ value: 6 })
    expect(await run(child, 'attach', 4, 'counter')).toEqual(DONE)
    expect(await run(child, 'list')).toEqual({ value: count + 3 })

    expect(await run(child, 'close', 1)).toEqual(DONE)
    expect(await run(child, 'SharedMemory', 1, 'half again', MEGABYTE / 2)).toEqual(DONE)
    await child.call('release', count)
    expect((await child.call<string[]>('names')).sort()).toEqual(['counter', 'half again', 'quarter'])
  })

  it('a lack of room for one more name is reported as a lack of room', async (context) => {
    await using child = await tryToStart(mounted('size=1m,nr_inodes=10'), "no file system of one's own here")
    if (child === undefined) return context.skip()
    const { count, error } = await child.call<{ count: number; error: unknown }>('exhaust')
    expect(count).toBeLessThan(10)
    expect(error).toMatchObject({ code: 'ENOSPC', syscall: 'shm_open' })
    await child.call('release', 1)
    expect(await run(child, 'Value', 1, 'again')).toEqual(DONE)
  })

  it('read-only shared memory is reported as such', async (context) => {
    await using child = await tryToStart(mounted('ro'), "no file system of one's own here")
    if (child === undefined) return context.skip()
    expect(await run(child, 'Value', 1, 'any')).toMatchObject({ error: { code: 'EROFS' } })
    expect(await run(child, 'open', 1, 'any')).toMatchObject({ error: { code: 'EROFS' } })
    expect(await run(child, 'attach', 1, 'any')).toMatchObject({ error: { code: 'ENOENT' } })
  })
})

describe('with few descriptors', () => {
  it('one segment too many is refused with advice, and works after a close()', async () => {
    const name = uniqueName('few')
    await using child = await spawnUnder('sh', [], 'ulimit -n 256', { name })
    const { count, error } = await child.call<{ count: number; error: unknown }>('exhaust')
    expect(count).toBeGreaterThan(20)
    expect(error).toMatchObject({
      name: 'ShareError',
      code: 'EMFILE',
      message: expect.stringMatching(/too many open files.*: close some objects, or raise the limit \(ulimit -n\)/),
    })
    for (const command of ['Value', 'Lock', 'open', 'attach']) {
      expect(await run(child, command, 1, `${name}-other`)).toMatchObject({ error: { code: 'EMFILE' } })
    }
    expect(await child.call('release', 2)).toBe(count - 2)
    expect(await run(child, 'Value', 1, `${name}-other`)).toEqual(DONE)
    expect(await run(child, 'attach', 2, `${name}-0`)).toEqual(DONE)
    expect(await run(child, 'update', 2)).toEqual({ value: 1 })
    await child.call('release', count)
    await run(child, 'close', 1)
    await run(child, 'close', 2)
    expect(readdirSync('/dev/shm').filter((file) => file.startsWith(name))).toEqual([])
  })
})

describe('another user', () => {
  const NOBODY = 65_534
  let stranger: FixtureProcess | undefined

  beforeAll(async () => {
    if (process.getuid?.() !== 0) {
      console.log('Skipped: only root can become another user')
      return
    }
    const start = () => spawnFixture('lifetime-limits', {}, { uid: NOBODY, gid: NOBODY })
    stranger = await tryToStart(start, 'no other user who could run this')
  })

  afterAll(async () => {
    await stranger?.[Symbol.asyncDispose]()
  })

  it('has no access to a segment without a mode', async (context) => {
    if (stranger === undefined) return context.skip()
    expect(await stranger.call('uid')).toBe(NOBODY)
    using value = Value.create(uniqueName(), 'i', 5)
    const refused = {
      error: expect.objectContaining({
        name: 'ShareError',
        code: 'EACCES',
        message: expect.stringMatching(/^This user has no permission for segment ".*": create it with a mode/),
      }),
    }
    expect(await run(stranger, 'attach', 1, value.name)).toEqual(refused)
    expect(await run(stranger, 'attach', 1, value.name, { anyOwner: true })).toEqual(refused)
    expect(await run(stranger, 'attachMemory', 1, value.name)).toEqual(refused)
    expect(await run(stranger, 'open', 1, value.name)).toEqual(refused)
    expect(await run(stranger, 'Value', 1, value.name)).toMatchObject({ error: { code: 'EEXIST' } })
    expect(await run(stranger, 'unlink', value.name)).toEqual(refused)
    expect(value.value).toBe(5)
  })

  it('needs anyOwner for a segment for all users', async (context) => {
    if (stranger === undefined) return context.skip()
    using value = Value.create(uniqueName(), 'i', 5, { mode: 0o666 })
    const refused = {
      error: expect.objectContaining({
        name: 'ShareError',
        code: 'ERR_OTHER_USER',
        message: expect.stringMatching(/belongs to another user: pass anyOwner: true/),
      }),
    }
    expect(await run(stranger, 'attach', 1, value.name)).toEqual(refused)
    expect(await run(stranger, 'attachHandle', 1, value.handle)).toEqual(refused)
    expect(await run(stranger, 'attachMemory', 1, value.name)).toEqual(refused)
    expect(await run(stranger, 'open', 1, value.name)).toEqual(refused)
    expect(await run(stranger, 'unlink', value.name)).toEqual(refused)
    for (const [command, target] of [
      ['attach', value.name],
      ['attachHandle', value.handle],
    ] as const) {
      const before = value.value
      expect(await run(stranger, command, 1, target, { anyOwner: true })).toEqual(DONE)
      expect(await run(stranger, 'update', 1)).toEqual({ value: before + 1 })
      expect(value.value).toBe(before + 1)
      expect(await run(stranger, 'close', 1)).toEqual(DONE)
    }
    expect(existsSync(`/dev/shm/${value.name}`)).toBe(true)
  })

  it('may not write to a read-only segment, nor read a write-only one', async (context) => {
    if (stranger === undefined) return context.skip()
    for (const mode of [0o644, 0o622, 0o600, 0o660]) {
      using value = Value.create(uniqueName(), 'i', 5, { mode })
      expect(await run(stranger, 'attach', 1, value.name, { anyOwner: true })).toMatchObject({
        error: { code: 'EACCES' },
      })
    }
  })

  it('is trusted by anyOwner, including the lock of the segment', async (context) => {
    if (stranger === undefined) return context.skip()
    const name = uniqueName('theirs')
    expect(await run(stranger, 'ValueWithLock', 1, name, { mode: 0o666 })).toEqual(DONE)
    expect(() => Value.attach(name)).toThrow(shareError('ERR_OTHER_USER')) // although root may open everything
    {
      using value = Value.attach(name, 'i', { anyOwner: true })
      expect(value.add(1)).toBe(5)
      expect(await run(stranger, 'update', 1)).toEqual({ value: 7 })
    }
    expect(await run(stranger, 'close', 1)).toEqual(DONE)
    expect(await run(stranger, 'close', '1-lock')).toEqual(DONE)
    expect(readdirSync('/dev/shm').filter((file) => file.startsWith(name))).toEqual([])
  })

  it('does not list or sweep segments of others', async (context) => {
    if (stranger === undefined) return context.skip()
    using _value = Value.create(uniqueName(), 'i', 5, { mode: 0o666 })
    expect(await run(stranger, 'list')).toEqual({ value: 0 })
    expect(await run(stranger, 'removeStale')).toEqual({ value: 0 })
  })

  it('cannot remove the name as the last user, and the owner can use it again', async (context) => {
    if (stranger === undefined) return context.skip()
    const name = uniqueName('orphan')
    const value = Value.create(name, 'i', 5, { mode: 0o666 })
    expect(await run(stranger, 'attach', 1, name, { anyOwner: true })).toEqual(DONE)
    value.close()
    using same = Value.attach(name, 'i')
    expect(same.value).toBe(5)
    same.close()
    expect(await run(stranger, 'close', 1)).toEqual(DONE)
    expect(() => Value.attach(name)).toThrow(shareError('ENOENT'))
    using again = Value.create(name, 'i', 6)
    expect(again.value).toBe(6)
  })
})

describe('the mode of a segment', () => {
  it.each(['0', '022', '077', '0777'])('is the requested one under a umask of %s', async (umask) => {
    await using child = await spawnUnder('sh', [], `umask ${umask}`, {})
    expect(await child.call('umask')).toBe(Number.parseInt(umask, 8))
    for (const [i, mode] of [0o600, 0o666, 0o644, 0o640, 0o777].entries()) {
      const name = uniqueName('mode')
      expect(await run(child, 'Value', i, name, { mode })).toEqual(DONE)
      expect(statSync(`/dev/shm/${name}`).mode & 0o777).toBe(mode)
      expect(await run(child, 'update', i)).toEqual({ value: 6 })
      expect(await run(child, 'attach', 'again', name)).toEqual(DONE)
      await run(child, 'close', 'again')
      await run(child, 'close', i)
      expect(existsSync(`/dev/shm/${name}`)).toBe(false)
    }
  })
})

describe('large arrays', () => {
  const GIGABYTE = 2 ** 30

  /** Every byte is backed: there must be room for all of them, and for what else runs here. */
  function isThereRoom(byteLength: number): boolean {
    const { bavail, bsize } = statfsSync('/dev/shm')
    const isRoom = Math.min(bavail * bsize, freemem()) > byteLength * 1.5 + GIGABYTE
    if (!isRoom) console.log(`Skipped: no room for ${byteLength / GIGABYTE} GiB`)
    return isRoom
  }

  it('of one gigabyte are readable from end to end by another process', async (context) => {
    if (!isThereRoom(GIGABYTE)) return context.skip()
    await using child = await spawnFixture('lifetime-limits')
    const length = GIGABYTE / 8
    using array = SharedArray.create(uniqueName('gigabyte'), 'd', length)
    array[0] = 1.5
    array[length - 1] = 2.5
    expect(await child.call('ends', array.name)).toEqual([1.5, 2.5, length])
    expect(array[1]).toBe(-1)
    array.fill(1, length - 1000)
    let sum = 0
    for (let i = length - 2000; i < length; i++) sum += array[i]!
    expect(sum).toBe(1000)
    array.lock.runSync(() => {})
  })

  it('of more than four gigabytes work, or are refused before they use memory', {
    timeout: 120_000,
  }, async (context) => {
    const length = 4.5 * GIGABYTE
    using memory = new SharedMemory(8)
    if (!(memory.buffer instanceof SharedArrayBuffer) && length > constants.MAX_LENGTH) {
      expect(() => new RawArray('B', length)).toThrow(shareError('EFBIG', /this runtime allows buffers of at most/))
      return
    }
    if (!isThereRoom(length)) return context.skip()
    await using child = await spawnFixture('lifetime-limits')
    using array = RawArray.create(uniqueName('large'), 'B', length)
    array[0] = 1
    array[length - 1] = 2
    array[2 ** 32] = 3
    expect(await child.call('ends', array.name)).toEqual([1, 2, length])
    expect(array.subarray(2 ** 32 - 1, 2 ** 32 + 2)).toEqual(Uint8Array.of(0, 3, 0))
  })
})

describe('absurd sizes', () => {
  const REFUSED = expect.objectContaining({
    name: 'ShareError',
    code: expect.stringMatching(/^(ENOMEM|ENOSPC|EFBIG)$/),
  })

  it.each([2 ** 53 - 1, 2 ** 52, 2 ** 48, 2 ** 47, 2 ** 46, 2 ** 44, 2 ** 40])(
    '%d bytes are refused at once',
    (size) => {
      const name = uniqueName('absurd')
      expect(() => new SharedMemory(size)).toThrow(REFUSED)
      expect(() => SharedMemory.create(name, size)).toThrow(REFUSED)
      expect(() => SharedMemory.open(name, size)).toThrow(REFUSED)
      expect(() => SharedArray.create(name, 'B', size)).toThrow(REFUSED)
      expect(() => SharedArray.create(name, 'd', Math.floor(size / 8))).toThrow(REFUSED)
      expect(existsSync(`/dev/shm/${name}`)).toBe(false)
    },
  )

  it('more bytes than numbers can count are a RangeError', () => {
    expect(() => new SharedArray('d', 2 ** 53 - 1)).toThrow(rangeError(/^length must be/))
    expect(() => new SharedArray('h', 2 ** 52)).toThrow(rangeError(/^length must be/))
    expect(() => new SharedArray('B', 2 ** 53)).toThrow(rangeError(/^length must be/))
    const Large = Struct({ field: ['d', 2 ** 40] })
    expect(() => new SharedArray(Large, 2 ** 40)).toThrow(rangeError(/^length must be/))
    expect(() => new Value(Large)).toThrow(REFUSED)
  })
})

describe('many', () => {
  it('2,000 segments exist at once, and are found by name', async () => {
    const values = Array.from({ length: 2_000 }, (_, i) => Value.create(uniqueName('many'), 'i', i))
    await using child = await spawnFixture('lifetime-limits')
    const names = values.map(({ name }) => name)
    expect(await child.call('sum', names)).toBe((2_000 * 1_999) / 2)
    for (const value of values) expect(value.add(1)).toBe(value.value - 1)
    for (const value of values) value.close()
    expect(readdirSync('/dev/shm').filter((name) => name.startsWith(namePrefix))).toEqual([])
  })

  it('2,000 locks exist at once, independent of each other', () => {
    const values = Array.from({ length: 2_000 }, () => new Value('i'))
    const guards = values.map((value) => value.lock.acquireSync())
    expect(values.every((value) => value.lock.locked)).toBe(true)
    for (const guard of guards) guard.release()
    expect(values.some((value) => value.lock.locked)).toBe(false)
    for (const value of values) value.close()
  })

  it('2,000 users of one segment are counted', () => {
    const name = uniqueName('popular')
    const users = Array.from({ length: 2_000 }, () => Value.open(name, 'i'))
    for (const user of users.slice(1)) user.close()
    expect(users[0]!.value).toBe(0)
    expect(existsSync(`/dev/shm/${name}`)).toBe(true)
    users[0]!.close()
    expect(existsSync(`/dev/shm/${name}`)).toBe(false)
  })
})

it('unusual names mean the same to another process', async () => {
  await using child = await spawnFixture('lifetime-limits')
  const prefix = uniqueName('')
  const room = 255 - Buffer.byteLength(prefix)
  const endings = [
    'x'.repeat(room),
    'é'.repeat(room / 2),
    '😀'.repeat(room / 4),
    ` "quoted" 'name' %s %00 \\ \n \u{1}`,
    'e\u0301', // not the same as é
    'é',
  ]
  for (const ending of endings) {
    using value = Value.create(prefix + ending, 'i', 5)
    expect(await child.call('sum', [value.name])).toBe(5)
  }
})

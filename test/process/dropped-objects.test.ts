/** Objects that are dropped and not closed: a program that makes one for each request goes on for ever, with few descriptors. */
import { attach, type Handle, Value } from 'procshare'
import { describe, expect, it } from 'vitest'
import { shareError } from '../helpers/error-matchers.ts'
import { spawnFixture } from '../helpers/fixture.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { uniqueName } from '../helpers/segment-names.ts'

expectNoLeftovers()

const MAX_FILES = 1024
const COUNT = 1_500
const KINDS = [
  'Value',
  'Value of a struct',
  'Value with a given lock',
  'Value whose lock is held',
  'SharedArray',
  'RawArray',
  'SharedMemory',
  'Lock',
  'RLock',
  'Semaphore',
  'Event',
  'Condition',
  'Barrier',
  'Queue',
  'Queue that spills',
  'Pipe',
  'SharedState',
]

/** A fixture that may have so many files open. */
function spawnWithFew(args: object) {
  const execArgv = ['-c', `ulimit -n ${MAX_FILES} && exec "$0" "$@"`, process.execPath]
  return spawnFixture('dropped-objects', args, { execPath: 'sh', execArgv })
}

describe.skipIf(process.platform !== 'linux')('with 1,024 descriptors', () => {
  it.each(KINDS)('a loop may drop one object after the other, in any kind of turn: %s', async (kind) => {
    await using child = await spawnWithFew({ name: uniqueName() })
    expect(await child.call('asynchronously', kind, 'a turn of the event loop', COUNT)).toBeLessThan(MAX_FILES)
    expect(await child.call('asynchronously', kind, 'a microtask', COUNT)).toBeLessThan(MAX_FILES)
    expect(await child.call('synchronously', kind, COUNT)).toBeLessThan(MAX_FILES)
  })

  it('a process can attach to more segments than it has descriptors for, if it drops them', async () => {
    const values = Array.from({ length: 1_500 }, () => Value.create(uniqueName('many'), 'i'))
    await using child = await spawnWithFew({ names: values.map(({ name }) => name) })
    await child.call('asynchronously', 'an attached Value', 'a turn of the event loop', values.length)
    await child.call('synchronously', 'an attached Value', values.length)
    expect(values.every(({ value }) => value === 2)).toBe(true)
    for (const value of values) value.close()
  })

  it('kept views, buffers and guards stay usable while dropped objects are closed', async () => {
    await using child = await spawnWithFew({ name: uniqueName() })
    expect(await child.call('keeping', COUNT)).toBe(COUNT / 50)
  })

  it('an object whose handle was read stays until it is closed, even if the other side attaches late', async () => {
    await using child = await spawnWithFew({})
    const handles = await child.call<Handle[]>('handles', 100)
    for (const [i, handle] of handles.entries()) {
      using value = attach(handle) as Value<'i'>
      expect(value.value).toBe(i)
    }
  })
})

it('a handle of an object that was closed early is ERR_STALE_HANDLE, and its name is ENOENT', () => {
  const value = new Value('i')
  const { handle, name } = value
  value.close()
  expect(() => attach(handle)).toThrow(shareError('ERR_STALE_HANDLE', /no longer exists: keep the object open/))
  expect(() => Value.attach(handle, 'i')).toThrow(shareError('ERR_STALE_HANDLE'))
  expect(() => Value.attach(name, 'i')).toThrow(shareError('ENOENT'))
})

import { readFileSync } from 'node:fs'
import {
  attach,
  Lock,
  listSegments,
  removeStaleSegments,
  SharedArray,
  SharedMemory,
  type ShareErrorCode,
  unlinkSegment,
  Value,
} from 'procshare'
import { describe, expect, it } from 'vitest'
import { createSegment } from '../../lib/memory/segment.ts'
import { rangeError, shareError, typeError, valueError } from '../helpers/error-matchers.ts'
import { expectNoLeftovers, openFiles } from '../helpers/leftovers.ts'
import { uniqueName } from '../helpers/segment-names.ts'

expectNoLeftovers()

const find = (name: string) => listSegments().find((segment) => segment.name === name)

it('lists segments with their kind, creator and time', () => {
  const before = Date.now()
  using memory = SharedMemory.create(uniqueName(), 10_000)
  expect(find(memory.name)).toEqual({
    name: memory.name,
    kind: 'SharedMemory',
    byteLength: expect.any(Number),
    attached: true,
    persistent: false,
    creatorPid: process.pid,
    createdAt: expect.any(Date),
  })
  const { byteLength, createdAt } = find(memory.name)!
  expect(byteLength).toBeGreaterThanOrEqual(10_000)
  expect(byteLength).toBeLessThan(24_000)
  expect(createdAt.getTime()).toBeGreaterThanOrEqual(before - 1)
  expect(createdAt.getTime()).toBeLessThanOrEqual(Date.now() + 1)
})

it('lists all kinds, and persistent segments without users', () => {
  using value = Value.create(uniqueName(), 'i')
  using array = SharedArray.create(uniqueName(), 'i', 3)
  using lock = Lock.create(uniqueName())
  expect([value, array, lock].map(({ name }) => find(name)?.kind)).toEqual(['Value', 'SharedArray', 'Lock'])
  const kept = SharedMemory.create(uniqueName(), 10, { persist: true })
  expect(find(kept.name)).toMatchObject({ attached: true, persistent: true })
  kept.close()
  expect(find(kept.name)).toMatchObject({ attached: false, persistent: true })
  unlinkSegment(kept.name)
  expect(find(kept.name)).toBeUndefined()
})

it('does not list closed and unlinked segments', () => {
  using value = Value.create(uniqueName(), 'i')
  value.unlink()
  expect(find(value.name)).toBeUndefined()
})

it('removes stale segments, and keeps persistent ones and those in use', () => {
  using value = Value.create(uniqueName(), 'i', 5)
  const kept = Value.create(uniqueName(), 'i', 6, { persist: true })
  kept.close()
  expect(removeStaleSegments()).toBeGreaterThanOrEqual(0)
  expect(find(value.name)).toBeDefined()
  expect(find(kept.name)).toBeDefined()
  unlinkSegment(kept.name)
})

it('unlinks by name, even if processes are attached', () => {
  using value = Value.create(uniqueName(), 'i', 5)
  unlinkSegment(value.name)
  expect(value.value).toBe(5)
  expect(() => Value.attach(value.name)).toThrow(shareError('ENOENT'))
  expect(() => unlinkSegment(value.name)).toThrow(shareError('ENOENT', new RegExp(`"${value.name}"`)))
})

it('checks the arguments of unlinkSegment', () => {
  expect(() => unlinkSegment(5 as never)).toThrow(typeError(/^name must be a string, got 5/))
  expect(() => unlinkSegment('a/b')).toThrow(valueError(/^name must be /))
  expect(() => unlinkSegment('nobody', { force: true } as never)).toThrow(
    valueError(/^options\.force is not a known option/),
  )
  expect(() => unlinkSegment('nobody', { anyOwner: 'yes' } as never)).toThrow(typeError(/^options\.anyOwner must be/))
  expect(() => unlinkSegment('nobody', null as never)).toThrow(typeError(/^options must be an object/))
  expect(() => new SharedMemory(4, { mode: 0o10000 })).toThrow(rangeError(/^options\.mode/))
})

it('is unmapped when it is closed, unless a buffer of it is in use', ({ skip }) => {
  using memory = new SharedMemory(8)
  skip(process.platform !== 'linux' || memory.buffer instanceof SharedArrayBuffer, 'a shared buffer keeps its memory')
  const maps = () => readFileSync('/proc/self/maps', 'utf8')
  const value = new Value('i', 1)
  expect(value.value).toBe(1)
  expect(maps()).toContain(value.name)
  value.close()
  expect(maps()).not.toContain(value.name)
})

describe('a segment that is attached to and refused', () => {
  const any = { pidNamespaces: 'any' } as const

  it.each<[string, (name: string) => unknown, ShareErrorCode]>([
    ['with other namespaces than asked for', (name) => Lock.open(name, { pidNamespaces: 'own' }), 'ERR_TYPE'],
    ['of another kind', (name) => Value.attach(name), 'ERR_KIND'],
    ['of another kind, opened', (name) => SharedArray.open(name, 'i', 3), 'ERR_KIND'],
    [
      'of an earlier handle',
      (name) => Lock.attach({ procshare: 1, kind: 'Lock', name, id: 'AAAAAAAAAAAAAAAAAAAAAA' }),
      'ERR_STALE_HANDLE',
    ],
    [
      'at a cell where there is nothing',
      (name) => attach({ procshare: 1, kind: 'Lock', name, id: idOf(name), cell: 64 }),
      'ERR_KIND',
    ],
  ])('is let go of at once: a segment %s', (_what, reach, code) => {
    const name = uniqueName('wrong')
    Lock.create(name, { persist: true, ...any }).close()
    try {
      expect(() => reach(name)).toThrow(shareError(code))
      expect(find(name)).toMatchObject({ attached: false })
      expect(openFiles().filter((file) => file.includes(name))).toEqual([])
      // While it is in use, those who use it keep it.
      using lock = Lock.attach(name)
      expect(() => reach(name)).toThrow(shareError(code))
      lock.acquireSync().release()
    } finally {
      unlinkSegment(name)
    }
  })

  function idOf(name: string): string {
    using lock = Lock.attach(name)
    return lock.handle.id
  }
})

it.each([false, true])('a segment that cannot be filled leaves nothing, persistent or not: %s', (persist) => {
  const name = uniqueName('unfilled')
  const spec = { payloadBytes: 8, cellsBytes: 64, description: { kind: 'SharedMemory' }, options: { persist } }
  const reason = new Error('not now')
  const fail = () => {
    throw reason
  }
  expect(() => createSegment(name, spec, fail)).toThrow(reason)
  expect(find(name)).toBeUndefined()
  expect(openFiles().filter((file) => file.includes(name))).toEqual([])
  expect(() => SharedMemory.attach(name)).toThrow(shareError('ENOENT'))
  using memory = SharedMemory.create(name, 8)
  expect(memory.byteLength).toBe(8)
})

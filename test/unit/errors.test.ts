import { inspect } from 'node:util'
import { Lock, SharedArray, SharedMemory, ShareError, Value } from 'procshare'
import { expect, it } from 'vitest'
import { fromNative, segmentError } from '../../lib/errors/segment-messages.ts'
import { hasCode } from '../../lib/errors/share-error.ts'
import { shareError } from '../helpers/error-matchers.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { uniqueName } from '../helpers/segment-names.ts'

expectNoLeftovers()

function caught(fn: () => unknown): ShareError {
  try {
    fn()
  } catch (error) {
    return error as ShareError
  }
  throw new Error('it did not throw')
}

it('is an Error with a code, and names its object', () => {
  const name = uniqueName()
  const error = caught(() => Value.attach(name))
  expect(error).toBeInstanceOf(ShareError)
  expect(error).toBeInstanceOf(Error)
  expect(error.name).toBe('ShareError')
  expect(error.code).toBe('ENOENT')
  expect(error.segment).toBe(name)
  expect(error.message).toBe(
    `Segment "${name}" does not exist: it has not been created, or its last user has closed it`,
  )
  expect(error.stack).toContain('errors.test')
  expect(inspect(error)).toContain("code: 'ENOENT'")
})

it('has the number and the call of a system error', () => {
  const error = caught(() => Value.attach(uniqueName()))
  expect(error.errno).toBe(2)
  expect(error.syscall).toBe(process.platform === 'win32' ? 'OpenFileMapping' : 'shm_open')
})

it('has neither for an error of the library', () => {
  using lock = new Lock()
  lock.close()
  const error = caught(() => lock.acquireSync())
  expect(error).toEqual(shareError('ERR_CLOSED'))
  expect([error.errno, error.syscall, error.segment]).toEqual([undefined, undefined, lock.name])
})

it('begins with a capital letter, names the object and gives advice', () => {
  using value = Value.create(uniqueName(), 'i')
  using array = new SharedArray('i', 1, { lock: false })
  const { name } = value
  expect(caught(() => Value.create(name, 'i')).message).toBe(
    `Segment "${name}" already exists: attach to it, open it, or unlink it first`,
  )
  expect(caught(() => SharedMemory.attach(name)).message).toBe(
    `Segment "${name}" contains a Value, not a SharedMemory: use Value to attach to it`,
  )
  expect(caught(() => Value.attach(name, 'd')).message).toBe(
    `Segment "${name}" holds 'i', not 'd'. Open it as it was created, or choose another name`,
  )
  expect(caught(() => array.lock).message).toBe(
    `SharedArray "${array.name}" was created with lock: false, so it has no lock`,
  )
})

it('is a new object each time', () => {
  const name = uniqueName()
  expect(caught(() => Value.attach(name))).not.toBe(caught(() => Value.attach(name)))
})

it('has a cause only if one was given', () => {
  const cause = new Error('deeper')
  expect(segmentError('ERR_CORRUPT', { segment: 'x' }, cause).cause).toBe(cause)
  expect('cause' in segmentError('ERR_CORRUPT', { segment: 'x' })).toBe(false)
})

it('passes on errors that native code did not create', () => {
  const other = new Error('other')
  expect(fromNative(other, 'name')).toBe(other)
  const unknown = Object.assign(new Error('unknown'), { code: 'EUNKNOWN' })
  expect(fromNative(unknown, 'name')).toBe(unknown)
  const known = fromNative(Object.assign(new Error('raw'), { code: 'ENOSPC', errno: 28, syscall: 'fallocate' }), 'name')
  expect(known).toMatchObject({ name: 'ShareError', code: 'ENOSPC', errno: 28, syscall: 'fallocate', segment: 'name' })
  expect(hasCode(known, 'ENOSPC')).toBe(true)
  expect(hasCode(known, 'ENOENT')).toBe(false)
  expect(hasCode({ code: 'ENOSPC' }, 'ENOSPC')).toBe(false)
})

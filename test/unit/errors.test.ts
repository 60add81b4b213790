import { inspect } from 'node:util'
import { Lock, SharedArray, SharedMemory, ShareError, Value } from 'procshare'
import { expect, it } from 'vitest'
import { fromNative, hasCode } from '../../lib/errors.ts'
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

it('is an Error with a code, and says what it is about', () => {
  const name = uniqueName()
  const error = caught(() => Value.attach(name))
  expect(error).toBeInstanceOf(ShareError)
  expect(error).toBeInstanceOf(Error)
  expect(error.name).toBe('ShareError')
  expect(error.code).toBe('ENOENT')
  expect(error.segment).toBe(name)
  expect(error.message).toBe(`There is no segment "${name}": nobody has created it, or its last user is gone`)
  expect(error.stack).toContain('errors.test')
  expect(inspect(error)).toContain("code: 'ENOENT'")
})

it('carries the number and the call of an error of the system', () => {
  const error = caught(() => Value.attach(uniqueName()))
  expect(error.errno).toBe(2)
  expect(error.syscall).toBe(process.platform === 'win32' ? 'OpenFileMapping' : 'shm_open')
})

it('has neither for errors of our own', () => {
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
    `Segment "${name}" exists already: attach to it, open it, or unlink it first`,
  )
  expect(caught(() => SharedMemory.attach(name)).message).toBe(
    `Segment "${name}" is of another kind: Value, not SharedMemory`,
  )
  expect(caught(() => Value.attach(name, 'd')).message).toBe(
    `Segment "${name}" has another type: it holds 'i', not 'd'`,
  )
  expect(caught(() => array.lock).message).toBe(`SharedArray "${array.name}" was made with lock: false`)
})

it('is made anew each time', () => {
  const name = uniqueName()
  expect(caught(() => Value.attach(name))).not.toBe(caught(() => Value.attach(name)))
})

it('keeps the cause', () => {
  const cause = new Error('deeper')
  // The constructor is internal: what it does with its parts is tested on the source.
  const error = new (ShareError as unknown as new (code: string, info: object) => ShareError)('ERR_SYSTEM', { cause })
  expect(error.cause).toBe(cause)
  expect(error.message).toBe('The system reports an unexpected error for the object')
  expect('cause' in new (ShareError as unknown as new (code: string) => Error)('ERR_SYSTEM')).toBe(false)
})

it('passes errors on that native code did not make', () => {
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

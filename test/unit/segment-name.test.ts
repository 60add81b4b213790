import { Lock, RLock, SharedArray, SharedMemory, unlinkSegment, Value } from 'procshare'
import { describe, expect, it } from 'vitest'
import { shareError, typeError, valueError } from '../helpers/error-matchers.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { uniqueName } from '../helpers/segment-names.ts'

expectNoLeftovers()

/** Everything that takes a name. */
const TAKERS: [string, (name: string) => unknown][] = [
  ['Value.create', (name) => Value.create(name, 'i')],
  ['Value.open', (name) => Value.open(name, 'i')],
  ['Value.attach', (name) => Value.attach(name)],
  ['SharedArray.create', (name) => SharedArray.create(name, 'i', 1)],
  ['SharedArray.open', (name) => SharedArray.open(name, 'i', 1)],
  ['SharedArray.attach', (name) => SharedArray.attach(name)],
  ['SharedMemory.create', (name) => SharedMemory.create(name, 1)],
  ['SharedMemory.open', (name) => SharedMemory.open(name, 1)],
  ['SharedMemory.attach', (name) => SharedMemory.attach(name)],
  ['Lock.create', (name) => Lock.create(name)],
  ['Lock.open', (name) => Lock.open(name)],
  ['Lock.attach', (name) => Lock.attach(name)],
  ['RLock.create', (name) => RLock.create(name)],
  ['RLock.open', (name) => RLock.open(name)],
  ['RLock.attach', (name) => RLock.attach(name)],
  ['unlinkSegment', (name) => unlinkSegment(name)],
]

describe.each(TAKERS)('%s', (who, take) => {
  it('refuses names that the system cannot store', () => {
    const form = valueError(
      /^name must be well-formed Unicode without "\/" and NUL, and other than "\." and "\.\.", got /,
    )
    for (const name of ['/', '/a', 'a/b', 'a/', '.', '..', 'a\0b', '\0', '\ud800', 'x\udc00y']) {
      expect(() => take(name)).toThrow(form)
    }
    const size = valueError(/^name must be a string of 1 to 255 bytes \(it has \d+\), got /)
    for (const name of ['', 'x'.repeat(256), 'é'.repeat(128)]) expect(() => take(name)).toThrow(size)
  })

  it('refuses values that are not strings', () => {
    const error = who.endsWith('attach') ? typeError() : typeError(/^name must be a string, got /)
    for (const name of [undefined, null, 5, true, {}, ['a'], Symbol('s')])
      expect(() => take(name as never)).toThrow(error)
  })
})

describe('a name', () => {
  it.each(['a b', '-rf', 'ünïcödé', '日本語', '😀', '...', '.hidden', '%s%n', 'back\\slash', 'new\nline', 'tab\t'])(
    'may contain %j',
    (part) => expectUsable(part + uniqueName(part) + part),
  )

  it('may be 255 bytes long', () => {
    const start = uniqueName()
    expectUsable(start.padEnd(255, 'x'))
    const isOdd = (255 - start.length) % 2 === 1
    expectUsable(`${start}${isOdd ? '-' : ''}`.concat('é'.repeat(Math.floor((255 - start.length) / 2))))
  })

  function expectUsable(name: string): void {
    using created = Value.create(name, 'i', 5)
    using attached = Value.attach(name)
    expect(attached.name).toBe(name)
    expect(() => Value.create(name, 'i')).toThrow(shareError('EEXIST'))
    expect(created.value).toBe(5)
  }

  it('differs by case and by Unicode form', () => {
    const name = uniqueName('é')
    using lower = Value.create(name, 'i', 1)
    using upper = Value.create(name.toUpperCase(), 'i', 2)
    using decomposed = Value.create(name.normalize('NFD'), 'i', 3)
    expect([lower.value, upper.value, decomposed.value]).toEqual([1, 2, 3])
  })
})

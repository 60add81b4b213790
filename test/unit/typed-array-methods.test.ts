/** All methods that arrays of this library inherit, called with whatever comes to mind. */
import { SharedArray } from 'procshare'
import { describe, expect, it } from 'vitest'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { uniqueName } from '../helpers/segment-names.ts'

expectNoLeftovers()

describe('every method of typed arrays', () => {
  const TypedArray = Object.getPrototypeOf(Int32Array) as { prototype: object }
  const methods = Reflect.ownKeys(TypedArray.prototype).filter((key) => key !== 'constructor')
  const argumentsFor = [[], [0, 1, 2], [(n: number) => n, 0], [[7, 7], 0], [-1, 1e9], [Number.NaN], ['x'], [{}, {}]]

  it.each(['open', 'closed', 'unlinked'] as const)(
    'keeps the process alive and the array intact when it is %s',
    (state) => {
      for (const { code, given } of [
        { code: 'i', given: [1, 2, 3] },
        { code: 'c', given: 'abc' },
        { code: 'd', given: 0 },
      ] as const) {
        for (const key of methods) {
          for (const args of argumentsFor) {
            const array = SharedArray.create(uniqueName(), code, given as never) as SharedArray<'i'>
            if (state === 'closed') array.close()
            if (state === 'unlinked') array.unlink()
            try {
              const member = (array as unknown as Record<PropertyKey, unknown>)[key]
              if (typeof member === 'function') member.apply(array, args)
            } catch (error) {
              expect(error).toBeInstanceOf(Error)
            }
            expect([...array]).toHaveLength(given === 0 ? 0 : 3)
            array.close()
          }
        }
      }
    },
  )
})

/** Assignments to proxies, which would change nothing in the server. */
import { describe, expect, it } from 'vitest'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { managerOfThisFile } from '../helpers/manager.ts'

expectNoLeftovers()

const file = managerOfThisFile()

describe('an assignment to a proxy', () => {
  it('throws, and names the method to use, in both forms', async () => {
    const { manager } = file
    const objects = {
      list: [
        await manager.list([1]),
        /^list\[0\] cannot be assigned: a managed list is changed by set\(index, value\)$/,
      ],
      dict: [
        await manager.dict({ a: 1 }),
        /^dict\[0\] cannot be assigned: a managed dict is changed by set\(key, value\)$/,
      ],
      array: [await manager.Array('i', 2), /changed by set\(index, value\)$/],
      set: [await manager.set([1]), /changed by add\(value\) and delete\(value\)$/],
      value: [await manager.Value('i', 1), /changed by set\(value\)$/],
      namespace: [await manager.Namespace({ a: 1 }), /changed by set\(name, value\)$/],
      lock: [await manager.Lock(), /changed by its methods$/],
    } as const
    for (const [proxy, message] of Object.values(objects)) {
      const isNamespace = proxy === objects.namespace[0]
      for (const form of isNamespace ? [proxy] : [proxy, manager.sync.of(proxy as never)]) {
        const target = form as unknown as Record<string | number, unknown>
        const error = expect.objectContaining({
          code: 'ERR_INVALID_ARG_VALUE',
          message: expect.stringMatching(message),
        })
        expect(() => {
          target[0] = 2
        }).toThrow(error)
        expect(() => {
          target.x = 2
        }).toThrow(TypeError)
        expect([target[0], target.x]).toEqual([undefined, undefined])
      }
    }
    expect(await objects.list[0].toArray()).toEqual([1])
  })

  it('is allowed for properties that tools set, and stays in this process', async () => {
    const list = (await file.manager.list()) as unknown as Record<string | symbol, unknown>
    const mark = Symbol('mark')
    list[mark] = 1
    list._mark = 2
    expect([list[mark], list._mark]).toEqual([1, 2])
    expect(list instanceof Object).toBe(true)
  })
})

import { inspect } from 'node:util'
import fc from 'fast-check'
import { type ArrayProxy, type DictProxy, type ListProxy, Manager, type SetProxy, type ValueProxy } from 'procshare'
import { describe, expect, it } from 'vitest'
import { rangeError, shareError, typeError, valueError } from '../helpers/error-matchers.ts'
import { managerOfThisFile } from '../helpers/manager.ts'

const file = managerOfThisFile()

describe('a transaction', () => {
  it('carries out all operations, each on the results of those before it', async () => {
    const { manager } = file
    const dict = await manager.dict<string, number>({ ann: 10 })
    const list = await manager.list<string>()
    const results = await manager.transaction([
      [dict, 'increment', 'ann', -5],
      [dict, 'increment', 'bob', 5],
      [list, 'push', 'a', 'b'],
      [list, 'length'],
      [dict, 'toMap'],
    ])
    expect(results).toEqual([
      5,
      5,
      2,
      2,
      new Map([
        ['ann', 5],
        ['bob', 5],
      ]),
    ])
    expect(await manager.transaction([])).toEqual([])
  })

  it('does the same in the blocking form', () => {
    const { sync } = file.manager
    const dict = sync.dict<string, number>({ a: 1 })
    const space = sync.Namespace({ level: 1 })
    expect(
      sync.transaction([
        [dict as never, 'get', 'a'],
        [space as never, 'increment', 'level'],
      ] as never),
    ).toEqual([1, 2])
  })

  it('does nothing when one operation fails', async () => {
    const { manager } = file
    const dict = await manager.dict<string, unknown>({ a: 1, text: 'x' })
    const list = await manager.list([1, 2])
    const failing = manager.transaction([
      [dict, 'set', 'a', 2],
      [dict, 'set', 'b', 3],
      [list, 'push', 3],
      [dict, 'increment', 'text'],
      [list, 'clear'],
    ])
    await expect(failing).rejects.toThrow(typeError(/^the value must be a number/))
    await expect(
      manager.transaction([
        [list, 'clear'],
        [list, 'set', 0, 5],
      ]),
    ).rejects.toThrow(rangeError())
    expect([await dict.toMap(), await list.toArray()]).toEqual([
      new Map<string, unknown>([
        ['a', 1],
        ['text', 'x'],
      ]),
      [1, 2],
    ])
  })

  it('refuses invalid operations before it does anything', async () => {
    const { manager } = file
    const list = await manager.list([1])
    const refused = (...operations: unknown[]) =>
      expect(manager.transaction([[list, 'clear'], ...operations] as never)).rejects
    await refused([list, 'no such method']).toThrow(
      valueError(/must be a method that a transaction allows for list \(at, set,/),
    )
    await refused([list, 'batch', 0, 1]).toThrow(valueError())
    await refused([list, 'constructor']).toThrow(valueError())
    await refused([list]).toThrow(typeError(/^operations\[1\] must be an array/))
    await refused(['list', 'push', 1]).toThrow(typeError(/must be a managed object/))
    await refused([await manager.dict(), 'iterate', 'keys', 1]).toThrow(valueError())
    await expect(manager.transaction(5 as never)).rejects.toThrow(typeError())
    expect(await list.toArray()).toEqual([1])
    list.close()
    await expect(manager.transaction([[list, 'clear']])).rejects.toThrow(shareError('ERR_CLOSED'))
  })

  it('undoes all changes, and restores the order of entries and items', async () => {
    const { manager } = file
    interface Objects {
      dict: DictProxy<unknown, unknown>
      list: ListProxy<unknown>
      set: SetProxy<unknown>
      value: ValueProxy<'i'>
      array: ArrayProxy<'d'>
    }
    const objects: Objects = {
      dict: await manager.dict<unknown, unknown>(),
      list: await manager.list<unknown>(),
      set: await manager.set<unknown>(),
      value: await manager.Value('i'),
      array: await manager.Array('d', 4),
    }
    const n = fc.integer({ min: 0, max: 5 })
    const key = fc.oneof(n, fc.tuple(n), fc.constantFrom(new Date(1), 'a'))
    const keys = fc.array(key, { maxLength: 3 })
    const methods: Record<keyof Objects, Record<string, fc.Arbitrary<readonly unknown[]>>> = {
      dict: {
        set: fc.tuple(key, n),
        delete: fc.tuple(key),
        clear: fc.constant([]),
        pop: fc.tuple(key),
        popItem: fc.constant([]),
        getOrInsert: fc.tuple(key, n),
        exchange: fc.tuple(key, n),
        increment: fc.tuple(key),
        compareAndSet: fc.tuple(key, n, n),
        compareAndDelete: fc.tuple(key, n),
        setMany: fc.tuple(fc.array(fc.tuple(key, n), { maxLength: 3 })),
        deleteMany: fc.tuple(keys),
      },
      list: {
        push: fc.array(n, { maxLength: 3 }),
        extend: fc.tuple(fc.array(n, { maxLength: 3 })),
        pop: fc.constant([]),
        shift: fc.constant([]),
        unshift: fc.array(n, { maxLength: 3 }),
        insert: fc.tuple(n, n, n),
        splice: fc.tuple(n, n, n),
        remove: fc.tuple(n),
        clear: fc.constant([]),
        reverse: fc.constant([]),
        sort: fc.constant([]),
        fill: fc.tuple(n, n, n),
        set: fc.tuple(fc.constant(0), n),
        exchange: fc.tuple(fc.constant(-1), n),
        increment: fc.tuple(n),
      },
      set: {
        add: fc.tuple(key),
        delete: fc.tuple(key),
        clear: fc.constant([]),
        pop: fc.constant([]),
        addMany: fc.tuple(keys),
        deleteMany: fc.tuple(keys),
        retainMany: fc.tuple(keys),
        toggleMany: fc.tuple(keys),
      },
      value: { set: fc.tuple(n), add: fc.tuple(n), exchange: fc.tuple(n), compareExchange: fc.tuple(n, n) },
      array: {
        set: fc.tuple(n, n),
        add: fc.tuple(n, n),
        assign: fc.tuple(fc.array(n, { maxLength: 3 }), n),
        fill: fc.tuple(n, n, n),
      },
    }
    const operation = fc.oneof(
      ...Object.entries(methods).flatMap(([name, some]) =>
        Object.entries(some).map(([method, args]) =>
          args.map((given) => [objects[name as keyof Objects], method, ...given] as const),
        ),
      ),
    )
    const state = () => {
      const { dict, list, set, value, array } = objects
      return Promise.all([
        dict.toMap().then((map) => [...map]),
        list.toArray(),
        set.toSet().then((members) => [...members]),
        value.get(),
        array.snapshot(),
        // What is found by key, which a copy could have lost.
        dict.getMany([1, [1], new Date(1)]),
        set.hasMany([1, [1], new Date(1)]),
      ])
    }
    let failures = 0
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 12 }), fc.boolean(), async (operations, isDoomed) => {
        const before = await state()
        const all = isDoomed ? [...operations, [objects.value, 'set', 'no number']] : operations
        try {
          await manager.transaction(all as never)
          if (isDoomed) throw new Error('it did not fail')
        } catch (error) {
          expect((error as Error).message).not.toBe('it did not fail')
          failures++
          expect(await state(), inspect(operations, { depth: 4 })).toEqual(before)
        }
      }),
      { numRuns: 300 },
    )
    expect(failures).toBeGreaterThan(50)
    const { dict, set } = objects
    const last = (await dict.toKeys()).at(-1)
    expect((await dict.popItem())?.[0]).toEqual(last)
    expect([...(await set.toSet())].at(-1)).toEqual(await set.pop())
  })

  it('has the same effect as its operations one by one', async () => {
    const { manager } = file
    const n = fc.integer({ min: 0, max: 4 })
    const keys = fc.array(n, { maxLength: 3 })
    const methods: Record<string, fc.Arbitrary<readonly unknown[]>> = {
      set: fc.tuple(n, n),
      get: fc.tuple(n),
      has: fc.tuple(n),
      delete: fc.tuple(n),
      pop: fc.tuple(n),
      popItem: fc.constant([]),
      clear: fc.constant([]),
      size: fc.constant([]),
      getOrInsert: fc.tuple(n, n),
      increment: fc.tuple(n),
      deleteMany: fc.tuple(keys),
      getMany: fc.tuple(keys),
      toMap: fc.constant([]),
      toKeys: fc.constant([]),
      toValues: fc.constant([]),
    }
    const operation = fc.oneof(
      ...Object.entries(methods).map(([method, args]) => args.map((some) => [method, some] as const)),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(operation, { maxLength: 8 }), { maxLength: 4 }), async (transactions) => {
        const entries = [0, 1, 2].map((key): [number, number] => [key, key])
        using together = await manager.dict(entries)
        using apart = await manager.dict(entries)
        const call = ([method, args]: readonly [string, readonly unknown[]]) => {
          const member = apart[method as never] as unknown
          return typeof member === 'function' ? member.apply(apart, args) : member
        }
        for (const operations of transactions) {
          const results = manager.transaction(operations.map(([method, args]) => [together, method, ...args]) as never)
          expect(await results).toEqual(await Promise.all(operations.map(call)))
          expect([...(await together.toMap())]).toEqual([...(await apart.toMap())])
        }
      }),
      { numRuns: 150 },
    )
  })

  it('restores the places of entries that were deleted and added again, and of those taken from the end', async () => {
    const { manager } = file
    const dict = await manager.dict({ a: 1, b: 2, c: 3 })
    const doomed = [dict, 'increment', 'c', 'x'] as never
    await expect(manager.transaction([[dict, 'delete', 'a'], [dict, 'set', 'a', 5], doomed])).rejects.toThrow(
      typeError(),
    )
    expect([...(await dict.toMap())]).toEqual([
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ])
    await expect(manager.transaction([[dict, 'popItem'], [dict, 'popItem'], doomed])).rejects.toThrow(typeError())
    expect(await dict.popItem()).toEqual(['c', 3])
    await manager.transaction([
      [dict, 'delete', 'a'],
      [dict, 'has', 'a'],
    ])
    await dict.set('a', 6)
    expect([await dict.size, await dict.get('a'), await dict.toKeys()]).toEqual([2, 6, ['b', 'a']])
  })

  it('is never seen half done or half undone', async () => {
    const { manager } = file
    const other = await Manager.connect({ address: manager.address })
    const accounts = await manager.dict<string, number>({ ann: 500, bob: 500 }, { name: 'accounts' })
    const seen = await other.dict<string, number>('accounts')
    const transfers = Array.from({ length: 300 }, (_, i) =>
      manager
        .transaction([
          [accounts, 'increment', 'ann', -1],
          [accounts, 'increment', 'bob', 1],
          ...(i % 3 === 0 ? [[accounts, 'increment', 'ann', 'x'] as never] : []),
        ])
        .catch((error: Error) => expect(error).toBeInstanceOf(TypeError)),
    )
    const sums = Array.from({ length: 300 }, async () => (await seen.toValues()).reduce((sum, one) => sum + one))
    expect(new Set(await Promise.all(sums))).toEqual(new Set([1000]))
    await Promise.all(transfers)
    expect(await accounts.get('bob')).toBe(700)
    other.close()
  })

  it('does not undo an operation that fails after the transaction', async () => {
    const { manager } = file
    const dict = await manager.dict<string, number>({ a: 1 })
    await manager.transaction([[dict, 'set', 'a', 2]])
    await dict.set('a', 3)
    await expect(
      manager.transaction([
        [dict, 'increment', 'a'],
        [dict, 'increment', 'a', 'x' as never],
      ]),
    ).rejects.toThrow()
    expect(await dict.get('a')).toBe(3)
  })
})

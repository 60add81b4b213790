import { describe, expect, it } from 'vitest'
import { typeError } from '../helpers/error-matchers.ts'
import { managerOfThisFile } from '../helpers/manager.ts'

const file = managerOfThisFile()

describe('a managed set', () => {
  it('has each member once, compared as keys of a dict are', async () => {
    const set = await file.manager.set<unknown>([
      1,
      '1',
      1n,
      [1, 'a'],
      [1, 'a'],
      new Date(3),
      new Date(3),
      NaN,
      NaN,
      0,
      -0,
    ])
    expect(await set.size).toBe(7)
    expect([await set.add([1, 'a']), await set.add([1, 'b']), await set.has(new Date(3)), await set.has([1])]).toEqual([
      false,
      true,
      true,
      false,
    ])
    await expect(set.add({})).rejects.toThrow(typeError(/^key must be/))
    await expect(set.addMany([5, {}])).rejects.toThrow(typeError())
    expect([await set.has(5), await set.size]).toEqual([false, 8])
  })

  it('is combined with plain collections, managed ones, and itself', async () => {
    const { manager } = file
    const set = await manager.set([1, 2, 3])
    const list = await manager.list([2, 3, 4, 4])
    expect(await set.union(list)).toEqual(new Set([1, 2, 3, 4]))
    expect(await set.intersection(list)).toEqual(new Set([2, 3]))
    expect(await set.difference(new Set([3]))).toEqual(new Set([1, 2]))
    expect(await set.symmetricDifference([3, 5].values())).toEqual(new Set([1, 2, 5]))
    expect(await set.union(set)).toEqual(new Set([1, 2, 3]))
    expect([await set.isSubsetOf([1, 2, 3, 4]), await set.isSubsetOf([1]), await set.isSubsetOf(set)]).toEqual([
      true,
      false,
      true,
    ])
    expect([await set.isSupersetOf([1]), await set.isSupersetOf(list), await set.isDisjointFrom([9])]).toEqual([
      true,
      false,
      true,
    ])
    await expect(set.union('abc' as never)).rejects.toThrow(typeError(/^others must be an array/))
  })

  it('is changed by many values in one step', async () => {
    const set = await file.manager.set([1, 2, 3, 4])
    expect([await set.addMany([4, 5, 6]), await set.deleteMany([1, 9]), await set.retainMany([2, 3, 5])]).toEqual([
      2, 1, 2,
    ])
    await set.toggleMany([2, 7])
    expect(await set.toSet()).toEqual(new Set([3, 5, 7]))
    expect(await set.hasMany([3, 4])).toEqual([true, false])
    await set.toggleMany(set)
    expect([await set.size, await set.pop()]).toEqual([0, undefined])
  })

  it('lets exactly one of several clients add a member, and remove one', async () => {
    const set = await file.manager.set<number>()
    const added = await Promise.all(Array.from({ length: 600 }, (_, i) => set.add(i % 200)))
    expect(added.filter(Boolean).length).toBe(200)
    const taken = await Promise.all(Array.from({ length: 250 }, () => set.pop()))
    expect(new Set(taken.filter((member) => member !== undefined)).size).toBe(200)
  })

  it('is shown as a set of limited length', async () => {
    const { manager } = file
    expect(await (await manager.set()).show()).toBe('Set(0) {}')
    expect(await (await manager.set(['a', 1])).show()).toBe("Set(2) { 'a', 1 }")
    expect(await (await manager.set(Array(1000).keys())).show()).toMatch(
      /^Set\(1000\) \{ 0, .* 99, \.\.\. 900 more \}$/,
    )
  })
})

import { type DictProxy, Manager } from 'procshare'
import { describe, expect, it } from 'vitest'
import { shareError, typeError } from '../helpers/error-matchers.ts'
import { managerOfThisFile } from '../helpers/manager.ts'

const file = managerOfThisFile()

describe('a managed dict', () => {
  it('is made from nothing, an object, a map, pairs or another dict, and under a name', async () => {
    const { manager } = file
    const made = async (dict: Promise<DictProxy<unknown, unknown>>) => [...(await (await dict).toMap())]
    expect(await made(manager.dict())).toEqual([])
    expect(await made(manager.dict({ a: 1, b: 2 }) as never)).toEqual([
      ['a', 1],
      ['b', 2],
    ])
    expect(await made(manager.dict(new Map<unknown, unknown>([[1, 'x']])))).toEqual([[1, 'x']])
    expect(
      await made(
        manager.dict([
          [null, 1],
          ['k', 2],
        ]),
      ),
    ).toEqual([
      [null, 1],
      ['k', 2],
    ])
    expect(await made(manager.dict(await manager.dict([['copied', 1]])) as never)).toEqual([['copied', 1]])
    const named = await manager.dict<string, number>('sessions')
    expect(named.equals(await manager.dict<string, number>({ a: 1 }, { name: 'sessions' }))).toBe(true)
    expect(await named.size).toBe(0)
    await expect(manager.list('sessions')).rejects.toThrow(shareError('ERR_KIND'))
  })

  it('refuses to be made from anything else', async () => {
    const { manager } = file
    for (const wrong of [5, [1], [['a']], [['a', 1, 2]], new Date()]) {
      await expect(manager.dict(wrong as never)).rejects.toThrow(typeError(/^entries/))
    }
    await expect(manager.dict([[{}, 1]])).rejects.toThrow(typeError(/^key must be a primitive value/))
  })

  it('distinguishes keys of different types, and keeps their types', async () => {
    const keys = [
      1,
      '1',
      1n,
      true,
      'true',
      null,
      'null',
      undefined,
      'undefined',
      NaN,
      'NaN',
      '',
      [],
      '[]',
      [1],
      ['1'],
      [1n],
      '[1]',
    ]
    const dict = await file.manager.dict(keys.map((key, index) => [key, index] as const))
    expect(await dict.size).toBe(keys.length)
    expect(await dict.getMany(keys)).toEqual(keys.map((_, index) => index))
    expect(await dict.toKeys()).toEqual(keys)
  })

  it('compares arrays and dates by their content', async () => {
    const dict = await file.manager.dict<unknown, string>()
    await dict.set(['a', 1, null, new Date(5)], 'tuple')
    await dict.set(new Date(7), 'date')
    await dict.set(NaN, 'nan')
    await dict.set(-0, 'zero')
    expect(await dict.getMany([['a', 1, null, new Date(5)], new Date(7), NaN, 0])).toEqual([
      'tuple',
      'date',
      'nan',
      'zero',
    ])
    expect(await dict.getMany([['a', 1, null, new Date(6)], ['a', 1, null, 5], [['a']].flat(), 7])).toEqual(
      Array(4).fill(undefined),
    )
    expect(await dict.delete(['a', 1, null, new Date(5)])).toBe(true)
    expect(await dict.has(['a', 1, null, new Date(5)])).toBe(false)
    await dict.set(['a,b'], 'one')
    expect([await dict.get(['a', 'b']), await dict.get(['a,b']), await dict.get(['"a"'])]).toEqual([
      undefined,
      'one',
      undefined,
    ])
  })

  it('refuses keys that can be compared only by identity, and changes nothing', async () => {
    const { manager } = file
    const dict = await manager.dict<unknown, number>([['a', 1]])
    const list = await manager.list()
    for (const key of [{}, [[1]], [{}], new Map(), new Set(), new Uint8Array(2), list, [list]]) {
      await expect(dict.set(key, 1)).rejects.toThrow(typeError(/^key must be a primitive value, a Date, or an array/))
      await expect(dict.get(key)).rejects.toThrow(typeError())
      await expect(
        dict.setMany([
          ['b', 2],
          [key, 3],
        ]),
      ).rejects.toThrow(typeError())
      await expect(dict.deleteMany(['a', key])).rejects.toThrow(typeError())
    }
    expect(await dict.toMap()).toEqual(new Map([['a', 1]]))
  })

  it('has no inherited keys, and __proto__ is a key like any other', async () => {
    const dict = await file.manager.dict<string, unknown>(JSON.parse('{"__proto__": 1, "constructor": 2}'))
    expect(await dict.toKeys()).toEqual(['__proto__', 'constructor'])
    expect(await dict.getMany(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])).toEqual([
      1,
      2,
      undefined,
      undefined,
    ])
    await dict.setMany({ ['__proto__']: 5 })
    expect([await dict.get('__proto__'), await dict.delete('__proto__'), await dict.has('__proto__')]).toEqual([
      5,
      true,
      false,
    ])
  })

  it('keeps the order of insertion, which setting does not change', async () => {
    const dict = await file.manager.dict({ a: 1, b: 2, c: 3 })
    await dict.set('a', 10)
    await dict.delete('b')
    await dict.set('b', 20)
    expect(await dict.show()).toBe("Map(3) { 'a' => 10, 'c' => 3, 'b' => 20 }")
    expect([await dict.popItem(), await dict.popItem(), await dict.popItem(), await dict.popItem()]).toEqual([
      ['b', 20],
      ['c', 3],
      ['a', 10],
      undefined,
    ])
  })

  it('removes the last entry also after others were deleted and added again', async () => {
    const dict = await file.manager.dict<string, number>()
    await dict.setMany([
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ])
    expect(await dict.popItem()).toEqual(['c', 3])
    await dict.set('gone', 0)
    await dict.delete('gone')
    expect(await dict.popItem()).toEqual(['b', 2])
    await dict.set('b', 2)
    await dict.delete('a')
    await dict.set('a', 4)
    for (let i = 0; i < 100; i++) await Promise.all([dict.set('x', i), dict.delete('x')])
    expect([await dict.popItem(), await dict.popItem(), await dict.popItem()]).toEqual([['a', 4], ['b', 2], undefined])
  })

  it('checks and changes in one step', async () => {
    const dict = await file.manager.dict<string, unknown>()
    expect([await dict.getOrInsert('a', 1), await dict.getOrInsert('a', 2)]).toEqual([1, 1])
    expect([await dict.setIfAbsent('a', 3), await dict.setIfAbsent('b', 4)]).toEqual([false, true])
    expect([await dict.exchange('a', 5), await dict.exchange('c', 6)]).toEqual([1, undefined])
    expect([await dict.increment('n'), await dict.increment('n', 4), await dict.increment('big', 2n as never)]).toEqual(
      [1, 5, 2n],
    )
    await dict.set('object', { v: [1] })
    expect([
      await dict.compareAndSet('object', { v: [2] }, 'no'),
      await dict.compareAndSet('object', { v: [1] }, 'yes'),
      await dict.compareAndSet('missing', undefined, 'new'),
      await dict.compareAndSet('missing', undefined, 'newer'),
    ]).toEqual([false, true, true, false])
    expect([await dict.compareAndDelete('object', 'no'), await dict.compareAndDelete('object', 'yes')]).toEqual([
      false,
      true,
    ])
    expect(await dict.compareAndDelete('object', undefined)).toBe(false)
    await dict.set('text', 'x')
    await expect(dict.increment('text')).rejects.toThrow(typeError(/^the value must be a number, as the increment is/))
    await expect(dict.increment('n', 1n as never)).rejects.toThrow(typeError())
    expect([await dict.get('text'), await dict.get('n')]).toEqual(['x', 5])
  })

  it('distinguishes the value undefined from a missing entry', async () => {
    const dict = await file.manager.dict<string, unknown>([['u', undefined]])
    expect([await dict.has('u'), await dict.get('u', 'fallback'), await dict.get('v', 'fallback')]).toEqual([
      true,
      undefined,
      'fallback',
    ])
    expect([await dict.pop('u', 'fallback'), await dict.pop('u', 'fallback'), await dict.pop('u')]).toEqual([
      undefined,
      'fallback',
      undefined,
    ])
  })

  it('lets exactly one of several clients be the first, and loses no increment', async () => {
    const { manager } = file
    const others = await Promise.all([1, 2, 3].map(() => Manager.connect({ address: manager.address })))
    const dicts = await Promise.all([manager, ...others].map((one) => one.dict<string, number>('contended')))
    const calls = dicts.flatMap((dict, client) =>
      Array.from({ length: 300 }, (_, i) => [dict.increment('hits'), dict.setIfAbsent(`job ${i}`, client)] as const),
    )
    const winners = await Promise.all(calls.map(([, isFirst]) => isFirst))
    expect(winners.filter(Boolean).length).toBe(300)
    expect(await dicts[0]!.get('hits')).toBe(1200)
    for (const other of others) other.close()
  })

  it('contains managed objects, which are compared by identity', async () => {
    const { manager } = file
    const inner = await manager.dict({ deep: 1 })
    const outer = await manager.dict<string, unknown>({ inner, list: [inner] })
    expect(inner.equals(await outer.get('inner'))).toBe(true)
    expect(await outer.compareAndSet('inner', await manager.dict({ deep: 1 }), 'no')).toBe(false)
    expect(await outer.compareAndSet('inner', inner, 'yes')).toBe(true)
    expect(inner.equals(((await outer.get('list')) as unknown[])[0])).toBe(true)
  })

  it('reads the keys and entries of managed objects in the server', async () => {
    const { manager } = file
    const dict = await manager.dict({ a: 1, b: 2, c: 3 })
    const keys = await manager.list(['a', 'c', 'x'])
    expect(await dict.getMany(keys)).toEqual([1, 3, undefined])
    expect(await dict.deleteMany(await manager.set(['a', 'x']))).toBe(1)
    await dict.setMany(dict)
    await dict.setMany(await manager.dict({ z: 26 }))
    expect(await dict.toMap()).toEqual(
      new Map([
        ['b', 2],
        ['c', 3],
        ['z', 26],
      ]),
    )
  })
})

import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { shareError, typeError, valueError } from '../helpers/error-matchers.ts'
import { managerOfThisFile } from '../helpers/manager.ts'

const file = managerOfThisFile()

describe('a managed namespace', () => {
  it('keeps values under names', async () => {
    const settings = await file.manager.Namespace<Record<string, unknown>>({ b: 'x', a: 1 })
    await settings.set('list', [1])
    expect([await settings.get('a'), await settings.get('missing'), await settings.has('b')]).toEqual([
      1,
      undefined,
      true,
    ])
    expect(await settings.snapshot()).toEqual({ a: 1, b: 'x', list: [1] })
    expect(await settings.show()).toBe("Namespace(a=1, b='x', list=[ 1 ])")
    expect([await settings.delete('list'), await settings.delete('list')]).toEqual([true, false])
    await settings.assign({ a: 2, c: 3 })
    expect([await settings.increment('a'), await settings.increment('new', 5)]).toEqual([3, 5])
    expect([
      await settings.exchange('b', 'y'),
      await settings.compareAndSet('b', 'x', 'z'),
      await settings.compareAndSet('b', 'y', 'z'),
    ]).toEqual(['x', false, true])
    expect(await settings.show()).toBe("Namespace(a=3, b='z', c=3, new=5)")
  })

  it('refuses names that begin with _, and changes nothing when one of several does', async () => {
    const { manager } = file
    const settings = await manager.Namespace<Record<string, unknown>>({ a: 1 })
    await expect(settings.set('_x', 1)).rejects.toThrow(valueError(/does not begin with "_"/))
    await expect(settings.increment('_x')).rejects.toThrow(valueError())
    await expect(settings.assign({ b: 2, ['__proto__']: 3 })).rejects.toThrow(valueError())
    await expect(settings.set(5 as never, 1)).rejects.toThrow(typeError(/^name must be a string/))
    expect(await settings.snapshot()).toEqual({ a: 1 })
    await expect(manager.Namespace({ _a: 1 })).rejects.toThrow(valueError())
    await expect(manager.Namespace(1 as never)).rejects.toThrow(typeError())
    expect([await settings.has('toString'), await settings.get('constructor')]).toEqual([false, undefined])
  })
})

describe('a managed namespace in the blocking form', () => {
  it('has its values as properties', () => {
    const space = file.manager.sync.Namespace<Record<string, unknown>>({ x: 1 })
    space.y = { deep: [1] }
    expect([space.x, space.y, space.z]).toEqual([1, { deep: [1] }, undefined])
    expect(['x' in space, 'z' in space, Object.keys(space)]).toEqual([true, false, ['x', 'y']])
    expect({ ...space }).toEqual({ x: 1, y: { deep: [1] } })
    delete space.x
    expect(space.get('x')).toBe(undefined)
    Object.assign(space, { p: 1, q: 2 })
    expect(space.snapshot()).toEqual({ y: { deep: [1] }, p: 1, q: 2 })
    expect(space.increment('p')).toBe(2)
  })

  it('does not share properties that begin with _', async () => {
    const { manager } = file
    const space = manager.sync.Namespace<Record<string, unknown>>('underscores')
    space._local = { same: 'object' }
    expect(space._local).toBe(space._local)
    expect(space.snapshot()).toEqual({})
    expect(await (await manager.Namespace('underscores')).snapshot()).toEqual({})
    delete space._local
    expect('_local' in space).toBe(false)
  })

  it('returns values of any name, also of names that proxies have', () => {
    const space = file.manager.sync.Namespace<Record<string, unknown>>() as Record<string, unknown>
    const names = [
      'name',
      'typeName',
      'constructor',
      'toString',
      'valueOf',
      'call',
      'channel',
      'timeoutMs',
      'isBlocking',
    ]
    expect([space.name, space.typeName, space.channel, 'call' in space]).toEqual([
      undefined,
      'Namespace',
      undefined,
      false,
    ])
    for (const name of names) {
      space[name] = `value of ${name}`
      expect([name in space, space[name], Object.keys(space).includes(name)]).toEqual([true, `value of ${name}`, true])
    }
    expect(Object.keys(space).sort()).toEqual([...names].sort())
    for (const name of names) delete space[name]
    expect(Object.keys(space)).toEqual([])
    expect([String(space), space.typeName]).toEqual(['Namespace()', 'Namespace'])
  })

  it('accepts values with the name of a method only by set and get', () => {
    const space = file.manager.sync.Namespace<Record<string, unknown>>()
    for (const name of ['get', 'set', 'close', 'handle', 'toJSON']) {
      expect(() => {
        ;(space as Record<string, unknown>)[name] = 'x'
      }).toThrow(valueError(/set with set\('\w+', …\)/))
      space.set(name, 'x')
      expect(space.get(name)).toBe('x')
    }
    expect(space.equals(space)).toBe(true)
  })

  it('is sent, compared, shown and closed like other proxies', () => {
    const { sync } = file.manager
    const space = sync.Namespace({ a: 1 })
    const dict = sync.dict<string, typeof space>()
    dict.set('space', space as never)
    expect(dict.get('space')).not.toBe(space)
    expect(space.equals(dict.get('space'))).toBe(true)
    expect([String(space), inspect(space)]).toEqual([
      'Namespace(a=1)',
      expect.stringMatching(/^<NamespaceProxy of Namespace #\d+ at .*>$/),
    ])
    expect(space.handle.kind).toBe('Manager')
    space.close()
    expect(() => space.a).toThrow(shareError('ERR_CLOSED'))
    expect(inspect(space)).toMatch(/^<NamespaceProxy of Namespace #\d+, closed>$/)
  })
})

import { CounterProxy, Manager } from 'procshare'
import { describe, expect, it } from 'vitest'
import { rangeError, shareError, typeError } from '../helpers/error-matchers.ts'
import { managerOfThisFile } from '../helpers/manager.ts'

const file = managerOfThisFile()
const MAX = Number.MAX_SAFE_INTEGER

describe('a managed counter', () => {
  it('counts up and down, and is reset to zero or another value', async () => {
    const counter = await file.manager.counter()
    expect(counter).toBeInstanceOf(CounterProxy)
    expect(await counter.value).toBe(0)
    expect(await counter.increment()).toBe(1)
    expect(await counter.increment(10)).toBe(11)
    expect(await counter.decrement(-4)).toBe(15)
    expect(await counter.decrement()).toBe(14)
    expect(await counter.reset()).toBe(14)
    expect(await counter.reset(-3)).toBe(0)
    expect(await counter.value).toBe(-3)
    expect(await counter.show()).toBe('counter(-3)')
  })

  it('begins with a value, and goes by a name', async () => {
    const { manager } = file
    expect(await (await manager.counter(7)).value).toBe(7)
    const named = await manager.counter(5, { name: 'counted' })
    expect(await (await manager.counter('counted')).increment()).toBe(6)
    expect(await (await manager.counter(100, { name: 'counted' })).value).toBe(6)
    expect(named.name).toBe('counted')
    await expect(manager.list('counted')).rejects.toThrow(shareError('ERR_KIND'))
    await manager.unlink('counted')
  })

  it('counts exactly for many clients at once', async () => {
    const { manager } = file
    const counter = await manager.counter('busy')
    const clients = await Promise.all(
      Array.from({ length: 4 }, () => Manager.connect({ address: manager.address, authkey: manager.authkey })),
    )
    await Promise.all(
      clients.map(async (client) => {
        const own = await client.counter('busy')
        await Promise.all(Array.from({ length: 250 }, () => own.increment(3)))
        client.close()
      }),
    )
    expect(await counter.value).toBe(3000)
    await manager.unlink('busy')
  })

  it('refuses what is no integer, and sums that are not exact, and then has its old value', async () => {
    const { manager } = file
    const counter = await manager.counter(MAX)
    await expect(counter.increment()).rejects.toThrow(rangeError(/^by must be an integer with a sum from/))
    await expect(counter.increment(1.5)).rejects.toThrow(rangeError())
    await expect(counter.increment('1' as never)).rejects.toThrow(typeError())
    await expect(counter.reset(2 ** 53)).rejects.toThrow(rangeError())
    await expect(manager.counter(0.5)).rejects.toThrow(rangeError(/^initial must be/))
    expect(await counter.value).toBe(MAX)
    expect(await counter.decrement(MAX)).toBe(0)
  })

  it('has a blocking form', () => {
    const counter = file.manager.sync.counter(1)
    expect(counter.increment()).toBe(2)
    expect(counter.value).toBe(2)
    expect(() => counter.increment(2 ** 60)).toThrow(rangeError())
    expect(() => Object.assign(counter, { count: 1 })).toThrow(/is changed by increment\(by\)/)
  })

  it('takes part in transactions, and is restored when one fails', async () => {
    const { manager } = file
    const counter = await manager.counter(1)
    const list = await manager.list<number>()
    expect(
      await manager.transaction([
        [counter, 'increment', 5],
        [list, 'push', 1],
        [counter, 'value'],
      ]),
    ).toEqual([6, 1, 6])
    const failing = manager.transaction([
      [counter, 'reset', 100],
      [list, 'set', 5, 1],
    ])
    await expect(failing).rejects.toThrow(rangeError())
    expect(await counter.value).toBe(6)
  })
})

import type { BoundedSemaphoreProxy, SemaphoreProxy } from 'procshare'
import { describe, expect, it } from 'vitest'
import { rangeError, shareError, typeError, valueError } from '../helpers/error-matchers.ts'
import { arrived, managerClients, waits } from '../helpers/manager-clients.ts'

const { share, connect, end } = managerClients()

describe.each(['Semaphore', 'BoundedSemaphore'] as const)('%s of a manager', (kind) => {
  const semaphores = (count: number, value: number, options = {}) =>
    share<SemaphoreProxy | BoundedSemaphoreProxy>(count, (manager) => manager[kind](value, options))

  it('grants units in the order of the requests', async () => {
    const [a, b] = await semaphores(2, 2)
    expect(await a!.value).toBe(2)
    await a!.acquire()
    expect(await b!.tryAcquire()).toBe(true)
    expect(await a!.tryAcquire()).toBe(false)
    const order: number[] = []
    const waiting = []
    for (const [i, one] of [b!, a!, b!].entries()) {
      waiting.push(one.acquire().then(() => order.push(i)))
      await arrived(one)
    }
    await a!.release(2)
    await arrived(a!, b!)
    expect(order.sort()).toEqual([0, 1]) // each has an answer of its own
    expect(await a!.value).toBe(0)
    await a!.release()
    await Promise.all(waiting)
    expect(order).toEqual([0, 1, 2])
  })

  it('takes no unit after a timeout or for a signal', async () => {
    const [a, b] = await semaphores(2, 1)
    await a!.acquire()
    await expect(b!.acquire({ timeoutMs: 20 })).rejects.toThrow(shareError('ERR_TIMEOUT', /20 ms/))
    await expect(b!.acquire({ timeoutMs: 0 })).rejects.toThrow(shareError('ERR_TIMEOUT'))
    const controller = new AbortController()
    const waiting = b!.acquire({ signal: controller.signal })
    await waits(waiting, b!)
    controller.abort('why')
    await expect(waiting).rejects.toBe('why')
    await a!.release()
    expect(await b!.value).toBe(1)
  })

  it('gets the units of a client back when it ends, and none twice', async () => {
    const [a, b, c] = await semaphores(3, 3)
    await a!.acquire()
    await a!.acquire()
    await b!.acquire()
    await b!.release() // its own
    await end(b!)
    expect(await c!.value).toBe(1)
    await c!.release() // one of those that a has
    await end(a!)
    expect(await c!.value).toBe(3)
  })

  it('takes units that another client releases from the clients that acquired first', async () => {
    const [a, b, c] = await semaphores(3, 2)
    await a!.acquire()
    await b!.acquire()
    await c!.release()
    await end(a!)
    expect(await c!.value).toBe(1)
    await end(b!)
    expect(await c!.value).toBe(2)
  })

  it('grants returned units to waiting requests', async () => {
    const [a, b] = await semaphores(2, 1)
    await a!.acquire()
    const waiting = b!.acquire()
    await waits(waiting, b!)
    a!.close()
    await waiting
    expect(await b!.value).toBe(0)
  })

  it('does not get the units of a client back when it ends, if it is not recoverable', async () => {
    const [a, b] = await semaphores(2, 2, { recoverable: false })
    await a!.acquire()
    await end(a!)
    expect(await b!.value).toBe(1)
    await b!.release()
    expect(await b!.value).toBe(2)
  })

  it('does not lose units when a dropped proxy is collected', async () => {
    const [one, two] = await connect(2)
    const name = `units of ${kind}`
    const b = await two![kind](2, { name })
    await (async () => {
      await (await one![kind](2, name)).acquire()
    })()
    for (let i = 0; i < 5; i++) {
      globalThis.gc!()
      await new Promise((resolve) => setImmediate(resolve))
    }
    await one!.stats()
    expect(await b.value).toBe(1)
    await (await one![kind](2, name)).release()
    expect(await b.value).toBe(2)
    await one!.unlink(name)
  })

  it('refuses invalid values, units and options', async () => {
    const [manager] = await connect(1)
    await expect(manager![kind](-1)).rejects.toThrow(rangeError())
    await expect(manager![kind](2 ** 31)).rejects.toThrow(rangeError())
    await expect(manager![kind](1.5)).rejects.toThrow(rangeError())
    await expect(manager![kind]('1' as never)).rejects.toThrow(typeError())
    await expect(manager![kind](1, { recoverable: 1 as never })).rejects.toThrow(typeError())
    expect(() => manager![kind](1, { value: 1 } as never)).toThrow(valueError())
    const semaphore = await manager![kind](0)
    expect(await semaphore.tryAcquire()).toBe(false)
    await expect(semaphore.release(0)).rejects.toThrow(rangeError())
    await expect(semaphore.release(1.5)).rejects.toThrow(rangeError())
    await expect(semaphore.release('1' as never)).rejects.toThrow(typeError())
    expect(await semaphore.show()).toBe(`${kind}(value=0)`)
    expect(await (await manager![kind]()).value).toBe(1)
  })
})

describe('the limit of semaphores of a manager', () => {
  it('is 2^31 - 1 for a Semaphore, and nothing is released beyond it', async () => {
    const [a] = await share(1, (manager) => manager.Semaphore(1))
    await a!.release(2 ** 31 - 2)
    expect(await a!.value).toBe(2 ** 31 - 1)
    await expect(a!.release()).rejects.toThrow(shareError('ERR_OVER_RELEASE'))
    expect(await a!.value).toBe(2 ** 31 - 1)
  })

  it('is the initial value for a BoundedSemaphore', async () => {
    const [a, b] = await share(2, (manager) => manager.BoundedSemaphore(2))
    await expect(a!.release()).rejects.toThrow(shareError('ERR_OVER_RELEASE'))
    await a!.acquire()
    await expect(b!.release(2)).rejects.toThrow(shareError('ERR_OVER_RELEASE'))
    expect(await a!.value).toBe(1)
    await b!.release()
    expect(await a!.value).toBe(2)
  })
})

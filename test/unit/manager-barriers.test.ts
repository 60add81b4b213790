import { describe, expect, it } from 'vitest'
import { rangeError, shareError, typeError } from '../helpers/error-matchers.ts'
import { managerClients, waits } from '../helpers/manager-clients.ts'

const { share, connect, end } = managerClients()
const barriers = (count: number, parties: number, options = {}) =>
  share(count, (manager) => manager.Barrier(parties, options))
const BROKEN = shareError('ERR_BROKEN_BARRIER')

describe('Barrier of a manager', () => {
  it('releases all parties when the last one has arrived, repeatedly, and numbers them in the order of arrival', async () => {
    const [a, b, c] = await barriers(3, 3)
    expect(await a!.parties).toBe(3)
    for (let round = 0; round < 3; round++) {
      const first = c!.wait()
      await waits(first, c!)
      const second = a!.wait()
      await waits(second, a!)
      expect(await b!.waiting).toBe(2)
      expect(await Promise.all([b!.wait(), second, first])).toEqual([2, 1, 0])
      expect(await b!.waiting).toBe(0)
    }
  })

  it('does not make a single party wait', async () => {
    const [a] = await barriers(1, 1)
    expect(await a!.wait()).toBe(0)
    expect(await a!.wait({ timeoutMs: 0 })).toBe(0)
  })

  it.each([
    ['its time has passed', { timeoutMs: 20 }, shareError('ERR_TIMEOUT', /20 ms/)],
    ['it has no time', { timeoutMs: 0 }, shareError('ERR_TIMEOUT')],
  ])('is broken when a party gives up because %s, until it is reset', async (_why, options, error) => {
    const [a, b] = await barriers(2, 3)
    const other = a!.wait()
    await waits(other, a!)
    const failed = expect(other).rejects.toThrow(BROKEN)
    await expect(b!.wait(options)).rejects.toThrow(error)
    await failed
    expect(await a!.broken).toBe(true)
    expect(await a!.show()).toBe('Barrier(broken)')
    await expect(a!.wait()).rejects.toThrow(BROKEN)
    await a!.reset()
    expect(await b!.broken).toBe(false)
    expect((await Promise.all([a!.wait(), a!.wait(), b!.wait()])).sort()).toEqual([0, 1, 2])
  })

  it('is broken by the abort of a signal, and by abort()', async () => {
    const [a, b] = await barriers(2, 3)
    const controller = new AbortController()
    const aborted = a!.wait({ signal: controller.signal })
    await waits(aborted, a!)
    const other = b!.wait()
    await waits(other, b!)
    controller.abort('why')
    await expect(aborted).rejects.toBe('why')
    await expect(other).rejects.toThrow(BROKEN)
    await a!.reset()
    const third = b!.wait()
    await waits(third, b!)
    await a!.abort()
    await a!.abort()
    await expect(third).rejects.toThrow(BROKEN)
    expect(await b!.broken).toBe(true)
  })

  it('fails the present waits when it is reset, and is usable again', async () => {
    const [a, b] = await barriers(2, 2)
    const waiting = a!.wait()
    await waits(waiting, a!)
    await b!.reset()
    await expect(waiting).rejects.toThrow(BROKEN)
    expect(await b!.broken).toBe(false)
    expect(await Promise.all([a!.wait(), b!.wait()])).toHaveLength(2)
  })

  it('is broken by the end of a client that waits, and not by the end of another client', async () => {
    const [a, b, c] = await barriers(3, 3)
    const waiting = a!.wait()
    await waits(waiting, a!)
    const lost = b!.wait().catch(() => {})
    await waits(lost, b!)
    await end(c!)
    expect(await a!.broken).toBe(false)
    await end(b!)
    await expect(waiting).rejects.toThrow(BROKEN)
    await lost
  })

  it('runs the action of the last party before any party continues', async () => {
    const order: string[] = []
    const [a, b] = await barriers(2, 2)
    b!.action = async () => {
      expect(await a!.waiting).toBe(1)
      order.push('acted')
    }
    const waiting = a!.wait().then((index) => order.push(`went ${index}`))
    await waits(waiting, a!)
    expect(await b!.wait()).toBe(1)
    await waiting
    expect(order).toEqual(['acted', 'went 0'])
    // Not through the other proxy, which has no action.
    const again = b!.wait()
    await waits(again, b!)
    await a!.wait()
    await again
    expect(order).toHaveLength(2)
  })

  it('is broken by an action that fails', async () => {
    const [a, b] = await barriers(2, 2)
    b!.action = () => {
      throw new RangeError('as asked')
    }
    const waiting = a!.wait()
    await waits(waiting, a!)
    const failed = expect(waiting).rejects.toThrow(BROKEN)
    await expect(b!.wait()).rejects.toThrow(new RangeError('as asked'))
    await failed
    expect(await a!.broken).toBe(true)
  })

  it('makes new arrivals wait for the end of an action, within their timeouts', async () => {
    const [a, b] = await barriers(2, 2)
    let done!: () => void
    let acting!: () => void
    const acts = new Promise<void>((resolve) => (acting = resolve))
    b!.action = () => {
      acting()
      return new Promise<void>((resolve) => (done = resolve))
    }
    const first = a!.wait()
    await waits(first, a!)
    const last = b!.wait()
    await acts
    await expect(a!.wait({ timeoutMs: 5 })).rejects.toThrow(shareError('ERR_TIMEOUT'))
    expect(await a!.broken).toBe(false) // it had not arrived
    const next = a!.wait()
    await waits(next, a!)
    await waits(first, a!)
    done()
    expect([await first, await last]).toEqual([0, 1])
    b!.action = undefined
    expect(await b!.wait()).toBe(1)
    expect(await next).toBe(0)
  })

  it('counts the wait for the end of an action towards its timeout', async () => {
    const [a, b] = await barriers(2, 2, { timeoutMs: 2000 })
    let done!: () => void
    let acting!: () => void
    const acts = new Promise<void>((resolve) => (acting = resolve))
    b!.action = () => {
      acting()
      return new Promise<void>((resolve) => (done = resolve))
    }
    const first = a!.wait()
    await waits(first, a!)
    const last = b!.wait()
    await acts
    const next = a!.wait() // with the time of the barrier, which the server alone keeps
    await waits(next, a!)
    done()
    await Promise.all([first, last])
    await expect(next).rejects.toThrow(shareError('ERR_TIMEOUT'))
    expect(await a!.broken).toBe(true)
  })

  it('is broken by the end of the client whose action runs; a reset during the action fails that client too', async () => {
    const [a, b] = await barriers(2, 2)
    const begun = () => {
      let acting!: () => void
      let done!: () => void
      const acts = new Promise<void>((resolve) => (acting = resolve))
      b!.action = () => {
        acting()
        return new Promise<void>((resolve) => (done = resolve))
      }
      return { acts, done: () => done() }
    }
    let action = begun()
    let waiting = a!.wait()
    await waits(waiting, a!)
    const reset = b!.wait()
    await action.acts
    await a!.reset()
    await expect(waiting).rejects.toThrow(BROKEN)
    action.done()
    await expect(reset).rejects.toThrow(BROKEN)
    action = begun()
    waiting = a!.wait()
    await waits(waiting, a!)
    const lost = b!.wait().catch(() => {})
    await action.acts
    const failed = expect(waiting).rejects.toThrow(BROKEN)
    await end(b!)
    await failed
    action.done()
    await lost
  })

  it('has a default timeout for waits, and refuses invalid arguments', async () => {
    const [a] = await barriers(1, 2, { timeoutMs: 20 })
    await expect(a!.wait()).rejects.toThrow(shareError('ERR_TIMEOUT', /20 ms/))
    const [manager] = await connect(1)
    await expect(manager!.Barrier(0)).rejects.toThrow(rangeError())
    await expect(manager!.Barrier('2' as never)).rejects.toThrow(typeError())
    await expect(manager!.Barrier(2, { timeoutMs: -1 })).rejects.toThrow(rangeError())
    expect(() => manager!.Barrier(2, { action: 1 as never })).toThrow(typeError())
    expect(() => Object.assign(a!, { action: 1 })).toThrow(typeError())
  })
})

import { describe, expect, it } from 'vitest'
import { rangeError, shareError } from '../helpers/error-matchers.ts'
import { arrived, managerClients, waits } from '../helpers/manager-clients.ts'

const { share, connect, end } = managerClients()
const events = (count: number) => share(count, (manager) => manager.Event())

describe('Event of a manager', () => {
  it('is set and cleared for all', async () => {
    const [a, b] = await events(2)
    expect(await b!.isSet).toBe(false)
    await a!.set()
    await a!.set()
    expect(await b!.isSet).toBe(true)
    expect(await b!.wait()).toBe(true)
    await b!.clear()
    await b!.clear()
    expect(await a!.isSet).toBe(false)
    expect(await a!.show()).toBe('Event(unset)')
  })

  it('ends all waits when it is set, also if it is cleared right after', async () => {
    const [a, b] = await events(2)
    const waiting = [a!.wait(), b!.wait(), b!.wait({ timeoutMs: 20_000 })]
    await arrived(b!)
    void a!.set()
    await a!.clear()
    expect(await Promise.all(waiting)).toEqual([true, true, true])
    expect(await a!.isSet).toBe(false)
  })

  it('ends a wait after a timeout or for a signal', async () => {
    const [a] = await events(1)
    await expect(a!.wait({ timeoutMs: 10 })).rejects.toThrow(shareError('ERR_TIMEOUT', /10 ms/))
    await expect(a!.wait({ timeoutMs: 0 })).rejects.toThrow(shareError('ERR_TIMEOUT'))
    await expect(a!.wait({ timeoutMs: -1 })).rejects.toThrow(rangeError())
    const controller = new AbortController()
    const waiting = a!.wait({ signal: controller.signal })
    await waits(waiting, a!)
    controller.abort('why')
    await expect(waiting).rejects.toBe('why')
  })

  it('keeps its state when clients come and go', async () => {
    const [a, b] = await events(2)
    const lost = a!.wait()
    await waits(lost, a!)
    await end(a!)
    await expect(lost).rejects.toThrow(shareError('ERR_CLOSED'))
    await b!.set()
    expect(await b!.wait({ timeoutMs: 0 })).toBe(true)
  })

  it('ends the waits of a proxy that is closed', async () => {
    const [a, b] = await events(2)
    const waiting = a!.wait()
    await waits(waiting, a!)
    a!.close()
    await expect(waiting).rejects.toThrow(shareError('ERR_CLOSED'))
    await b!.set()
  })

  it('is waited for although the program drops the proxy', async () => {
    const [one, two] = await connect(2)
    const b = await two!.Event('kept by a wait')
    const waiting = one!.Event('kept by a wait').then((event) => event.wait())
    await b.isSet
    for (let i = 0; i < 5; i++) {
      globalThis.gc!()
      await new Promise((resolve) => setImmediate(resolve))
      await one!.stats()
    }
    await b.set()
    expect(await waiting).toBe(true)
    await one!.unlink('kept by a wait')
  })
})

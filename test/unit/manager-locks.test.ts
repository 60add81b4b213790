import { type LockProxy, type ManagedLockGuard, RLock, type RLockProxy } from 'procshare'
import { describe, expect, it } from 'vitest'
import { rangeError, shareError, typeError, valueError } from '../helpers/error-matchers.ts'
import { arrived, managerClients, waits } from '../helpers/manager-clients.ts'

const { share, connect, end } = managerClients()

describe.each(['Lock', 'RLock'] as const)('%s of a manager', (kind) => {
  const locks = (count: number) => share<LockProxy | RLockProxy>(count, (manager) => manager[kind]())

  it('has one owner at a time, in the order of the requests', async () => {
    const [a, b, c] = await locks(3)
    const guard = await a!.acquire()
    expect(guard.abandoned).toBe(false)
    expect(await b!.locked).toBe(true)
    expect(await b!.tryAcquire()).toBeUndefined()
    const order: string[] = []
    const take = async (lock: LockProxy | RLockProxy, name: string) => {
      const mine = lock.acquire().then(async (guard) => {
        order.push(name)
        await guard.release()
      })
      await arrived(lock)
      return { mine }
    }
    const waiting = [await take(c!, 'c'), await take(b!, 'b'), await take(a!, 'a'), await take(c!, 'c again')]
    await guard.release()
    await Promise.all(waiting.map(({ mine }) => mine))
    expect(order).toEqual(['c', 'b', 'a', 'c again'])
    expect(await a!.locked).toBe(false)
  })

  it('is not acquired after a timeout', async () => {
    const [a, b] = await locks(2)
    const guard = await a!.acquire()
    const started = performance.now()
    await expect(b!.acquire({ timeoutMs: 30 })).rejects.toThrow(shareError('ERR_TIMEOUT', /30 ms/))
    expect(performance.now() - started).toBeGreaterThan(29)
    await expect(b!.acquire({ timeoutMs: 0 })).rejects.toThrow(shareError('ERR_TIMEOUT'))
    await expect(b!.run(() => 1, { timeoutMs: 1 })).rejects.toThrow(shareError('ERR_TIMEOUT'))
    await guard.release()
    expect(await a!.locked).toBe(false)
    await (await b!.acquire({ timeoutMs: 0 })).release()
    await (await b!.acquire({ timeoutMs: Infinity })).release()
  })

  it('is not acquired after the abort of a signal, whose reason rejects the request', async () => {
    const [a, b] = await locks(2)
    const guard = await a!.acquire()
    await expect(b!.acquire({ signal: AbortSignal.abort('before') })).rejects.toBe('before')
    const controller = new AbortController()
    const waiting = b!.acquire({ signal: controller.signal })
    await waits(waiting, b!)
    controller.abort('why')
    await expect(waiting).rejects.toBe('why')
    await guard.release()
    expect(await a!.locked).toBe(false)
  })

  it('is released by its guard, exactly once', async () => {
    const [a] = await locks(1)
    const guard = await a!.acquire()
    expect(guard.released).toBe(false)
    await guard.release()
    expect(guard.released).toBe(true)
    await expect(guard.release()).rejects.toThrow(shareError('ERR_NOT_OWNER'))
    const next = await a!.acquire()
    await expect(guard.release()).rejects.toThrow(shareError('ERR_NOT_OWNER'))
    expect(await a!.locked).toBe(true)
    await next.release()
    await expect(a!.release()).rejects.toThrow(shareError('ERR_NOT_OWNER'))
  })

  it('is released at the end of a block', async () => {
    const [a] = await locks(1)
    {
      await using guard = await a!.acquire()
      expect(await a!.locked).toBe(true)
      expect(guard.released).toBe(false)
    }
    expect(await a!.locked).toBe(false)
    {
      using _guard = await a!.acquire()
    }
    expect(await a!.locked).toBe(false) // a call of the same client comes after the release
  })

  it('runs a function, returns its result, and is free after a function that throws', async () => {
    const [a, b] = await locks(2)
    const given = await a!.run(async ({ abandoned }) => {
      expect(await b!.locked).toBe(true)
      return abandoned
    })
    expect(given).toBe(false)
    const failing = a!.run(() => {
      throw new RangeError('as asked')
    })
    await expect(failing).rejects.toThrow(new RangeError('as asked'))
    expect(await a!.locked).toBe(false)
    await expect(a!.run(3 as never)).rejects.toThrow(typeError(/^fn /))
  })

  it('is handed over once, as abandoned, when its owner ends', async () => {
    const [a, b, c] = await locks(3)
    await a!.acquire()
    const first = b!.acquire()
    await arrived(b!)
    const second = c!.acquire()
    await arrived(c!)
    await end(a!)
    const guard = await first
    expect(guard.abandoned).toBe(true)
    await guard.release()
    expect((await second).abandoned).toBe(false)
  })

  it('is not granted to a client that ended during its wait', async () => {
    const [a, b, c] = await locks(3)
    const guard = await a!.acquire()
    const lost = b!.acquire()
    await waits(lost, b!)
    const waiting = c!.acquire()
    await arrived(c!)
    await end(b!)
    await expect(lost).rejects.toThrow(shareError('ERR_CLOSED'))
    await guard.release()
    expect((await waiting).abandoned).toBe(false)
  })

  it('is released, as abandoned, with the last proxy of its owner', async () => {
    const [a, b] = await locks(2)
    const guard = await a!.acquire()
    const waiting = b!.acquire()
    await waits(waiting, b!)
    a!.close()
    expect((await waiting).abandoned).toBe(true)
    await expect(guard.release()).rejects.toThrow(shareError('ERR_CLOSED'))
  })

  it('is handed over from a client that acquired it by tryAcquire and ended', async () => {
    const [a, b] = await locks(2)
    expect(await a!.tryAcquire()).toBeDefined()
    const waiting = b!.acquire()
    await waits(waiting, b!)
    await end(a!)
    expect((await waiting).abandoned).toBe(true)
  })

  it('ends the waits of a proxy that is closed', async () => {
    const [a, b] = await locks(2)
    const guard = await a!.acquire()
    const waiting = b!.acquire()
    await arrived(b!)
    b!.close()
    await expect(waiting).rejects.toThrow(shareError('ERR_CLOSED'))
    await guard.release()
    expect(await a!.locked).toBe(false)
  })

  it('refuses invalid options', async () => {
    const [a] = await locks(1)
    await expect(a!.acquire({ timeoutMs: -1 })).rejects.toThrow(rangeError())
    await expect(a!.acquire({ timeoutMs: Number.NaN })).rejects.toThrow(rangeError())
    await expect(a!.acquire({ timeoutMs: '1' as never })).rejects.toThrow(typeError())
    await expect(a!.acquire({ timeout: 1 } as never)).rejects.toThrow(valueError())
    await expect(a!.acquire({ signal: {} as never })).rejects.toThrow(typeError())
  })

  it('is found by its name', async () => {
    const [one, two] = await connect(2)
    const a = await one![kind]('the one')
    const b = await two![kind]({ name: 'the one' })
    await a.acquire()
    expect(await b.locked).toBe(true)
    await expect(two!.Queue('the one')).rejects.toThrow(shareError('ERR_KIND'))
    await one!.unlink('the one')
    expect(() => one![kind]({ nam: 'x' } as never)).toThrow(valueError())
  })

  it('shows whether it is locked', async () => {
    const [a] = await locks(1)
    expect(await a!.show()).toBe(`${kind}(free)`)
    await a!.acquire()
    expect(await a!.show()).toBe(`${kind}(locked)`)
  })

  it('either grants or cancels a request when an abort races with a release', async () => {
    const [a, b, c] = await locks(3)
    let held = 0
    let [granted, aborted] = [0, 0]
    const attempt = async (lock: LockProxy | RLockProxy, i: number) => {
      const controller = new AbortController()
      const acquiring = lock.acquire({ signal: controller.signal })
      if (i % 3 === 0) queueMicrotask(() => controller.abort('raced'))
      else setTimeout(() => controller.abort('raced'), i % 4)
      let guard: ManagedLockGuard
      try {
        guard = await acquiring
      } catch (error) {
        expect(error).toBe('raced')
        aborted++
        return
      }
      granted++
      expect(++held).toBe(1)
      if (i % 2 === 0) await b!.locked
      held--
      await guard.release()
    }
    await Promise.all(
      [a!, b!, c!].map(async (lock, seat) => {
        for (let i = 0; i < 150; i++) await attempt(lock, i + seat)
      }),
    )
    expect(granted + aborted).toBe(450)
    expect(granted).toBeGreaterThan(0)
    expect(aborted).toBeGreaterThan(0)
    expect(await a!.locked).toBe(false)
  })
})

describe('Lock of a manager', () => {
  const locks = (count: number) => share(count, (manager) => manager.Lock())

  it('is released by any client, after which its guard does not hold it', async () => {
    const [a, b] = await locks(2)
    const guard = await a!.acquire()
    await b!.release()
    expect(await a!.locked).toBe(false)
    const next = await b!.acquire()
    await expect(guard.release()).rejects.toThrow(shareError('ERR_NOT_OWNER'))
    expect(await a!.locked).toBe(true)
    await next.release()
  })

  it('refuses its owner inside run at once, since the request could never be granted', async () => {
    const [a, b] = await locks(2)
    await a!.run(async () => {
      await expect(a!.acquire()).rejects.toThrow(shareError('ERR_DEADLOCK'))
      await expect(a!.run(() => {})).rejects.toThrow(shareError('ERR_DEADLOCK'))
      expect(await a!.tryAcquire()).toBeUndefined()
      // What begins beside it is another task.
      await expect(b!.acquire({ timeoutMs: 1 })).rejects.toThrow(shareError('ERR_TIMEOUT'))
    })
    const guard = await a!.acquire()
    await expect(a!.acquire({ timeoutMs: 1 })).rejects.toThrow(shareError('ERR_TIMEOUT'))
    await guard.release()
  })

  it('rejects run with ERR_NOT_OWNER when another client has released it', async () => {
    const [a, b] = await locks(2)
    await expect(a!.run(() => b!.release())).rejects.toThrow(shareError('ERR_NOT_OWNER'))
  })
})

describe('RLock of a manager', () => {
  const locks = (count: number) => share(count, (manager) => manager.RLock())

  it('is acquired again inside run, and is free when every level is released', async () => {
    const [a, b] = await locks(2)
    await a!.run(async () => {
      await a!.run(async () => {
        const guard = await a!.acquire()
        const another = (await a!.tryAcquire())!
        await guard.release()
        await another.release()
        expect(await b!.locked).toBe(true)
      })
      expect(await b!.locked).toBe(true)
    })
    expect(await b!.locked).toBe(false)
  })

  it('is not acquired by other tasks, of the same client or another one', async () => {
    const [a, b] = await locks(2)
    let inside!: () => void
    const running = a!.run(() => new Promise<void>((resolve) => (inside = resolve)))
    await arrived(a!)
    await expect(a!.acquire({ timeoutMs: 1 })).rejects.toThrow(shareError('ERR_TIMEOUT'))
    expect(await a!.tryAcquire()).toBeUndefined()
    expect(await b!.tryAcquire()).toBeUndefined()
    inside()
    await running
    const guard = await a!.acquire()
    await expect(a!.acquire({ timeoutMs: 1 })).rejects.toThrow(shareError('ERR_TIMEOUT'))
    await guard.release()
  })

  it('keeps two tasks inside a third one apart', async () => {
    const [outer] = await locks(1)
    const [inner] = await locks(1)
    let inside = 0
    await outer!.run(async () => {
      const section = async () => {
        expect(++inside).toBe(1)
        await inner!.locked
        await outer!.run(() => {})
        inside--
      }
      await Promise.all([inner!.run(section), inner!.run(section), inner!.run(section)])
    })
    expect(await inner!.locked).toBe(false)
  })

  it('is released by its owner only', async () => {
    const [a, b] = await locks(2)
    await a!.run(async () => {
      await expect(b!.release()).rejects.toThrow(shareError('ERR_NOT_OWNER'))
      await a!.acquire()
      await a!.release()
      expect(await b!.locked).toBe(true)
    })
    const guard = await a!.acquire()
    await expect(a!.release()).rejects.toThrow(shareError('ERR_NOT_OWNER'))
    await guard.release()
  })

  it('stays held while a nested run that was not awaited goes on', async () => {
    const [a, b] = await locks(2)
    let finish!: () => void
    let forgotten!: Promise<void>
    let reenter!: Promise<void>
    await a!.run(async () => {
      forgotten = a!.run(async () => {
        await new Promise<void>((resolve) => (finish = resolve))
        reenter = a!.run(() => {}) // its task is the owner still
        await reenter
      })
      await arrived(a!)
    })
    expect(await b!.locked).toBe(true)
    finish()
    await forgotten
    expect(await b!.locked).toBe(false)
  })

  it('does not confuse its tasks with those of locks in shared memory', async () => {
    const [a] = await locks(1)
    using local = new RLock()
    await local.run(() => a!.run(() => local.run(() => a!.run(() => {}))))
    expect(await a!.locked).toBe(false)
  })
})

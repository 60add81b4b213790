import { readFileSync, statSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs'
import { attach, Lock, SharedMemory, unlinkSegment, Value } from 'procshare'
import { describe, expect, it } from 'vitest'
import { rangeError, shareError, typeError, valueError } from '../helpers/error-matchers.ts'
import { expectNoLeftovers, segmentsOfThisProcess } from '../helpers/leftovers.ts'
import { uniqueName } from '../helpers/segment-names.ts'

expectNoLeftovers()

const isLinux = process.platform === 'linux'
const fileOf = (name: string) => `/dev/shm/${name}`
const bytesOf = (memory: SharedMemory) => new Uint8Array(memory.buffer)

describe('SharedMemory', () => {
  it('is zeroed bytes of exactly the requested length', () => {
    for (const byteLength of [1, 7, 4096, 4097, 1_000_000]) {
      using memory = new SharedMemory(byteLength)
      expect(memory.byteLength).toBe(byteLength)
      expect(memory.buffer.byteLength).toBe(byteLength)
      expect(bytesOf(memory).every((byte) => byte === 0)).toBe(true)
      bytesOf(memory)[byteLength - 1] = 255
      using same = SharedMemory.attach(memory.name)
      expect(same.byteLength).toBe(byteLength)
      expect(bytesOf(same)[byteLength - 1]).toBe(255)
    }
  })

  it('returns the same buffer each time, for all its objects in this process', () => {
    using memory = new SharedMemory(16)
    using same = SharedMemory.attach(memory.handle)
    expect(memory.buffer).toBe(memory.buffer)
    expect(same.buffer).toBe(memory.buffer)
  })

  it('returns a buffer that other threads can share, if the runtime can create one', () => {
    using memory = new SharedMemory(16)
    const isShared = memory.buffer instanceof SharedArrayBuffer
    expect(isShared || memory.buffer instanceof ArrayBuffer).toBe(true)
    const major = Number(process.versions.node.split('.')[0])
    if (major <= 20) expect(isShared).toBe(false)
    if (major >= 26) expect(isShared).toBe(true)
  })

  it.each([0, -1, 0.5, Number.NaN, Infinity, 2 ** 53])('refuses a length of %d', (byteLength) => {
    const error = rangeError(/^byteLength must be an integer from 1 to 9007199254740991, got /)
    expect(() => new SharedMemory(byteLength)).toThrow(error)
    expect(() => SharedMemory.create(uniqueName(), byteLength)).toThrow(error)
    expect(() => SharedMemory.open(uniqueName(), byteLength)).toThrow(error)
  })

  it.each(['1', null, undefined, 1n, {}, true])('refuses %o for a length', (byteLength) => {
    expect(() => new SharedMemory(byteLength as never)).toThrow(typeError(/^byteLength must be an integer, got /))
  })

  it('reports a lack of room with advice and the numbers of the system, and leaves nothing', () => {
    for (const byteLength of [2 ** 42, Number.MAX_SAFE_INTEGER]) {
      let error: unknown
      try {
        new SharedMemory(byteLength).close()
      } catch (caught) {
        error = caught
      }
      expect(error).toMatchObject({
        name: 'ShareError',
        code: expect.stringMatching(/^E(NOSPC|NOMEM|FBIG|INVAL)$/),
        errno: expect.any(Number),
        syscall: expect.any(String),
        segment: expect.stringMatching(/^procshare-/),
      })
    }
  })

  it('refuses misspelt and wrong options, and names them', () => {
    expect(() => new SharedMemory(1, { lock: true } as never)).toThrow(
      valueError(/^options\.lock is not a known option: use persist, mode or pidNamespaces$/),
    )
    expect(() => new SharedMemory(1, null as never)).toThrow(typeError(/^options must be an object, got null/))
    expect(() => new SharedMemory(1, { mode: -1 })).toThrow(rangeError(/^options\.mode must be/))
    using memory = new SharedMemory(1)
    expect(() => SharedMemory.attach(memory.name, { persist: true } as never)).toThrow(
      valueError(/^options\.persist is not a known option: use anyOwner$/),
    )
    expect(() => SharedMemory.attach(memory.name, { anyOwner: 1 } as never)).toThrow(
      typeError(/^options\.anyOwner must be a boolean, got 1/),
    )
  })
})

describe('SharedMemory by name', () => {
  it('is created once, attached to if it exists, and opened in either case', () => {
    const name = uniqueName()
    expect(() => SharedMemory.attach(name)).toThrow(
      shareError('ENOENT', new RegExp(`^Segment "${name}" does not exist`)),
    )
    using opened = SharedMemory.open(name, 10)
    expect(opened.name).toBe(name)
    expect(() => SharedMemory.create(name, 10)).toThrow(shareError('EEXIST', /already exists/))
    using again = SharedMemory.open(name, 99)
    expect(again.byteLength).toBe(10)
    bytesOf(opened)[3] = 4
    expect(bytesOf(again)[3]).toBe(4)
  })

  it('exists until the last object is closed, then the name is free', () => {
    const name = uniqueName()
    const first = SharedMemory.create(name, 10)
    const second = SharedMemory.attach(name)
    bytesOf(first)[0] = 1
    first.close()
    expect(bytesOf(second)[0]).toBe(1)
    second.close()
    expect(() => SharedMemory.attach(name)).toThrow(shareError('ENOENT'))
    using fresh = SharedMemory.create(name, 10)
    expect(bytesOf(fresh)[0]).toBe(0)
  })

  it('refuses objects of another kind', () => {
    using value = new Value('i')
    using lock = new Lock()
    expect(() => SharedMemory.attach(value.name)).toThrow(shareError('ERR_KIND', /a Value, not a SharedMemory/))
    expect(() => SharedMemory.open(lock.name, 10)).toThrow(shareError('ERR_KIND', /a Lock, not a SharedMemory/))
    using memory = new SharedMemory(4)
    expect(() => Value.attach(memory.name)).toThrow(shareError('ERR_KIND', /a SharedMemory, not a Value/))
    expect(() => Lock.attach(memory.name)).toThrow(shareError('ERR_KIND', /a SharedMemory, not a Lock/))
  })

  it.runIf(isLinux)('lies in the system object of that name, from offset 0, for this user only', () => {
    using memory = SharedMemory.create(uniqueName(), 5)
    bytesOf(memory).set([1, 2, 3, 4, 5])
    expect([...readFileSync(fileOf(memory.name)).subarray(0, 5)]).toEqual([1, 2, 3, 4, 5])
    expect(statSync(fileOf(memory.name)).mode & 0o777).toBe(0o600)
  })

  it.runIf(isLinux)('has the requested permissions with any umask', () => {
    const old = process.umask(0o077)
    try {
      for (const mode of [0o666, 0o640, 0o600]) {
        using memory = new SharedMemory(5, { mode })
        expect(statSync(fileOf(memory.name)).mode & 0o777).toBe(mode)
      }
    } finally {
      process.umask(old)
    }
  })

  it.runIf(isLinux)('attaches to memory of other programs, and to nothing that is not memory', () => {
    const name = uniqueName('foreign')
    writeFileSync(fileOf(name), 'made by another program')
    try {
      using memory = SharedMemory.attach(name)
      expect(Buffer.from(bytesOf(memory)).toString()).toBe('made by another program')
      expect(memory.handle).toEqual({ procshare: 1, kind: 'SharedMemory', name, id: '' })
      expect(() => Value.attach(name)).toThrow(
        shareError('ERR_FOREIGN', /only SharedMemory\.attach\(\) can attach to such memory/),
      )
    } finally {
      unlinkSync(fileOf(name))
    }
  })

  it.runIf(isLinux)('does not trust a segment that was truncated', () => {
    using memory = SharedMemory.create(uniqueName(), 100_000, { persist: true })
    const { name } = memory
    memory.close()
    truncateSync(fileOf(name), 50_000)
    try {
      expect(() => Value.attach(name)).toThrow(shareError('ERR_FOREIGN'))
    } finally {
      unlinkSegment(name)
    }
  })
})

describe('closing', () => {
  it('is idempotent, and closes this object only', () => {
    using memory = new SharedMemory(4)
    const same = SharedMemory.attach(memory.name)
    same.close()
    same.close()
    same[Symbol.dispose]()
    expect(memory.byteLength).toBe(4)
    expect(() => same.buffer).toThrow(shareError('ERR_CLOSED', /^SharedMemory ".*" was closed/))
    expect(() => same.byteLength).toThrow(shareError('ERR_CLOSED'))
    expect(() => same.handle).toThrow(shareError('ERR_CLOSED'))
    expect(() => JSON.stringify(same)).toThrow(shareError('ERR_CLOSED'))
    expect(same.name).toBe(memory.name)
  })

  it('frees the name at once, and keeps the bytes for views that are still in use', () => {
    const memory = new SharedMemory(4)
    const view = bytesOf(memory)
    view[0] = 7
    memory.close()
    expect(segmentsOfThisProcess()).toEqual([])
    view[1] = 8
    expect([...view]).toEqual([7, 8, 0, 0])
    using other = new SharedMemory(4)
    expect(bytesOf(other)[0]).toBe(0)
  })
})

describe('unlink', () => {
  it('removes the name at once, and attached objects keep working', () => {
    using memory = SharedMemory.create(uniqueName(), 4)
    using same = SharedMemory.attach(memory.name)
    same.unlink()
    expect(() => SharedMemory.attach(memory.name)).toThrow(shareError('ENOENT'))
    bytesOf(memory)[0] = 9
    expect(bytesOf(same)[0]).toBe(9)
    expect(() => memory.unlink()).toThrow(shareError('ENOENT'))
  })

  it('never removes a newer segment of the same name', () => {
    using old = SharedMemory.create(uniqueName(), 4)
    old.unlink()
    using fresh = SharedMemory.create(old.name, 4)
    expect(() => old.unlink()).toThrow(shareError('ENOENT'))
    old.close()
    using same = SharedMemory.attach(fresh.name)
    expect(same.handle.id).toBe(fresh.handle.id)
  })

  it('is refused after close', () => {
    const memory = new SharedMemory(4)
    memory.close()
    expect(() => memory.unlink()).toThrow(shareError('ERR_CLOSED'))
  })
})

describe('a persistent segment', () => {
  it('stays without users until unlink', () => {
    const name = uniqueName()
    const memory = SharedMemory.create(name, 4, { persist: true })
    bytesOf(memory)[2] = 3
    memory.close()
    {
      using again = SharedMemory.attach(name)
      expect(bytesOf(again)[2]).toBe(3)
    }
    using last = SharedMemory.open(name, 4)
    expect(bytesOf(last)[2]).toBe(3)
    last.unlink()
    expect(() => SharedMemory.attach(name)).toThrow(shareError('ENOENT'))
  })

  it('works for all objects', () => {
    const name = uniqueName()
    Value.create(name, 'i', 41, { persist: true }).close()
    const value = Value.open(name, 'i')
    expect(value.update((n) => n + 1)).toBe(42)
    value.unlink()
    value.close()
  })

  it('is not opened with another persist than it was created with', () => {
    using temporary = SharedMemory.create(uniqueName(), 4)
    const refused = shareError('ERR_TYPE', /created with persist: false, not with persist: true/)
    expect(() => SharedMemory.open(temporary.name, 4, { persist: true })).toThrow(refused)
    SharedMemory.open(temporary.name, 4, { persist: false }).close()
    const { name } = temporary
    temporary.close()
    expect(() => SharedMemory.attach(name)).toThrow(shareError('ENOENT'))
  })
})

describe('an anonymous segment', () => {
  it('has a name of its own, which its handle contains', () => {
    using first = new SharedMemory(4)
    using second = new SharedMemory(4)
    expect(first.name).toMatch(/^procshare-[0-9a-f-]{36}$/)
    expect(second.name).not.toBe(first.name)
    using same = attach(first.handle) as SharedMemory
    expect(same.buffer).toBe(first.buffer)
  })
})

import { Event, notify, SharedArray, SharedMemory, SharedState, Value, wait, waitAsync } from 'procshare'
import { describe, expect, it } from 'vitest'
import { rangeError, shareError, typeError } from '../helpers/error-matchers.ts'
import { eventually } from '../helpers/eventually.ts'
import { spawnFixture, together } from '../helpers/fixture.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { uniqueName } from '../helpers/segment-names.ts'
import { isPending } from '../helpers/turns.ts'

expectNoLeftovers()

type Call = (array: never, index?: never, ...rest: never[]) => unknown
const CALLS: [string, Call][] = [
  ['wait', (array, index = 0 as never) => wait(array, index, 0, 0)],
  ['waitAsync', (array, index = 0 as never) => waitAsync(array, index, 0, 0)],
  ['notify', (array, index = 0 as never) => notify(array, index)],
]

describe.each(CALLS)('%s', (_name, call) => {
  it('wants an Int32Array over a segment', () => {
    using floats = new SharedArray('f', 4)
    using unsigned = new SharedArray('I', 4)
    for (const wrong of [undefined, null, 5, [], {}, new Int32Array(4), floats, unsigned, new Uint8Array(8)]) {
      expect(() => call(wrong as never)).toThrow(typeError(/^array must be an Int32Array over the buffer of a segment/))
    }
    const own = new Int32Array(new SharedArrayBuffer(16))
    expect(() => call(own as never)).toThrow(typeError(/^array/))
  })

  it.each([-1, 4, 1.5, NaN, Infinity])('has no element %s', (index) => {
    using words = new SharedArray('i', 4)
    expect(() => call(words as never, index as never)).toThrow(rangeError(/^index/))
  })

  it('wants a number as index', () => {
    using words = new SharedArray('i', 4)
    for (const index of ['0', null, {}, 0n])
      expect(() => call(words as never, index as never)).toThrow(typeError(/^index/))
    using empty = new SharedArray('i', 0)
    expect(() => call(empty as never)).toThrow(rangeError(/^index/))
  })

  it('needs a segment with a parking for words', () => {
    using value = new Value('i')
    using bytes = new SharedArray('b', 16)
    using state = new SharedState({ bytes: SharedArray('b', 16) })
    expect(() => call(new Int32Array(bytes.buffer, 0, 4) as never)).toThrow(shareError('ERR_NO_WORDS'))
    expect(() => call(new Int32Array(state.bytes.buffer, 0, 4) as never)).toThrow(shareError('ERR_NO_WORDS'))
    expect(value.value).toBe(0)
  })

  it('is for a segment that is open', () => {
    const words = new SharedArray('i', 4)
    call(words as never)
    words.close()
    expect(() => call(words as never)).toThrow(shareError('ERR_CLOSED'))
    const memory = new SharedMemory(64)
    const view = new Int32Array(memory.buffer)
    call(view as never)
    memory.close()
    expect(() => call(view as never)).toThrow(shareError('ERR_CLOSED'))
  })
})

describe('what is expected, how long, and how many', () => {
  it('are checked', () => {
    using words = new SharedArray('i', 1)
    for (const value of [0.5, 2 ** 31, -(2 ** 31) - 1, NaN]) {
      expect(() => wait(words, 0, value)).toThrow(rangeError(/^value/))
      expect(() => waitAsync(words, 0, value)).toThrow(rangeError(/^value/))
    }
    expect(() => wait(words, 0, '0' as never)).toThrow(typeError(/^value/))
    for (const timeout of [-1, NaN]) {
      expect(() => wait(words, 0, 0, timeout)).toThrow(rangeError(/^timeoutMs/))
      expect(() => waitAsync(words, 0, 0, timeout)).toThrow(rangeError(/^timeoutMs/))
    }
    expect(() => wait(words, 0, 0, {} as never)).toThrow(typeError(/^timeoutMs/))
    for (const count of [-1, 0.5, NaN, 2 ** 53]) expect(() => notify(words, 0, count)).toThrow(rangeError(/^count/))
    expect(() => notify(words, 0, null as never)).toThrow(typeError(/^count/))
  })

  it('are those of Atomics', () => {
    using words = new SharedArray('i', [-(2 ** 31), 2 ** 31 - 1])
    expect(wait(words, 0, 0)).toBe('not-equal')
    expect(wait(words, 0, -(2 ** 31), 1)).toBe('timed-out')
    expect(wait(words, 1, 2 ** 31 - 1, 0)).toBe('timed-out')
    expect(waitAsync(words, 1, 0)).toEqual({ async: false, value: 'not-equal' })
    expect(waitAsync(words, 1, 2 ** 31 - 1, 0)).toEqual({ async: false, value: 'timed-out' })
    expect([notify(words, 0, 0), notify(words, 0, Infinity)]).toEqual([0, 0])
  })
})

describe('a pending wait', () => {
  it('ends by a notification, as many as there are to be, in the order of the calls', async () => {
    using words = new SharedArray('i', 2)
    const order: number[] = []
    const waits = [0, 1, 2, 3].map((i) => {
      const { async, value } = waitAsync(words, 1, 0)
      expect(async).toBe(true)
      return Promise.resolve(value).then((outcome) => {
        order.push(i)
        return outcome
      })
    })
    expect([notify(words, 0), notify(words, 1, 0), notify(words, 1, 2)]).toEqual([0, 0, 2])
    await Promise.all(waits.slice(0, 2))
    expect(await isPending(waits[2]!)).toBe(true)
    expect([notify(words, 1), notify(words, 1)]).toEqual([2, 0])
    expect(await Promise.all(waits)).toEqual(Array(4).fill('ok'))
    expect(order).toEqual([0, 1, 2, 3])
  })

  it('does not end because the element changes', async () => {
    using words = new SharedArray('i', 1)
    const { value } = waitAsync(words, 0, 0)
    words[0] = 5
    expect(await isPending(value as Promise<unknown>)).toBe(true)
    expect(notify(words, 0)).toBe(1)
    expect(await value).toBe('ok')
  })

  it('of one element means the same one in every view of the segment', async () => {
    using memory = SharedMemory.create(uniqueName(), 64)
    using other = SharedMemory.attach(memory.name)
    const { value } = waitAsync(new Int32Array(memory.buffer), 5, 0)
    expect(notify(new Int32Array(other.buffer, 8, 4), 2)).toBe(0)
    expect(notify(new Int32Array(other.buffer, 8, 4), 3)).toBe(1)
    expect(await value).toBe('ok')
  })

  it('is rejected when the last object of the segment is closed, and not before', async () => {
    const words = new SharedArray('i', 1)
    const other = SharedArray.attach(words.handle)
    const { value } = waitAsync(words, 0, 0)
    words.close()
    expect(await isPending(value as Promise<unknown>)).toBe(true)
    other.close()
    await expect(value).rejects.toThrow(shareError('ERR_CLOSED'))
  })

  it('does not count once its timeout has passed', async () => {
    using words = new SharedArray('i', 1)
    const early = waitAsync(words, 0, 0, 5)
    const late = waitAsync(words, 0, 0)
    expect(await early.value).toBe('timed-out')
    expect(notify(words, 0)).toBe(1)
    expect(await late.value).toBe('ok')
  })
})

it('a wait that another process has notified is no timeout, also when the time is over before this one has noticed', async () => {
  using words = new SharedArray('i', 1)
  using said = new Event()
  await using child = await spawnFixture('object-user')
  const { value } = waitAsync(words, 0, 0, 50)
  const start = performance.now()
  const answered = child.call('notifyAndSay', words.handle, said.handle)
  said.waitSync({ timeoutMs: 10_000 })
  while (performance.now() - start < 60); // the event loop has had no turn
  expect(await value).toBe('ok')
  await answered
})

it('in several processes end as many waits as are notified, and those of dead processes do not count', async () => {
  using words = new SharedArray('i', 2)
  await using peers = await together(Array.from({ length: 4 }, () => spawnFixture('state-user')))
  const [doomed, ...others] = peers
  const waits = others.map((peer) => peer.call('waitForWord', words.handle, 1))
  doomed!.call('waitForWord', words.handle, 1).catch(() => {})
  await doomed!.kill()
  let ended = 0
  await eventually(() => {
    ended += notify(words, 1, 1)
    return ended === 3
  })
  expect(await Promise.all(waits)).toEqual(['ok', 'ok', 'ok'])
  expect(notify(words, 1)).toBe(0)
})

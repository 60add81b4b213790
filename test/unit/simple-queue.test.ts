import { attach, Queue, SimpleQueue } from 'procshare'
import { describe, expect, it } from 'vitest'
import { shareError, valueError } from '../helpers/error-matchers.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'

expectNoLeftovers()

describe('a simple queue', () => {
  it('puts, gets, iterates and ends', async () => {
    using queue = new SimpleQueue<string>()
    using same = attach(JSON.parse(JSON.stringify(queue))) as SimpleQueue<string>
    expect(queue.isEmpty).toBe(true)
    await queue.put('a')
    queue.putSync('b')
    queue.end()
    const seen: string[] = []
    for await (const item of same) seen.push(item)
    expect(seen).toEqual(['a', 'b'])
  })

  it('has no limit of items', () => {
    expect(() => new SimpleQueue({ maxSize: 1 } as never)).toThrow(valueError())
  })

  it('is not a Queue', () => {
    using queue = new SimpleQueue()
    expect(() => Queue.attach(queue.name)).toThrow(shareError('ERR_KIND'))
  })
})

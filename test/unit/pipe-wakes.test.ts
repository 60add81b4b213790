/** Who waits at one end of a pipe is woken when the other end is left: without that, only the next heartbeat would tell. */
import { expect, it, vi } from 'vitest'
import { native } from '../../lib/native.ts'
import { Pipe } from '../../lib/queue/pipe.ts'

it.each([
  ['both rings of a pipe', true, 2],
  ['the ring of a pipe of one way', false, 1],
])('the close of an end wakes %s', async (_title, duplex, rings) => {
  const [a, b] = new Pipe({ duplex })
  const wakes = vi.spyOn(native, 'queueWakeAll')
  try {
    a.close()
    await vi.waitFor(() => expect(wakes).toHaveBeenCalledTimes(rings))
    expect(new Set(wakes.mock.calls.map(([ring]) => ring)).size).toBe(rings)
  } finally {
    wakes.mockRestore()
    b.close()
  }
})

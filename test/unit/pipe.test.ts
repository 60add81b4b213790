import { attach, Connection, Pipe, Queue } from 'procshare'
import { describe, expect, it, vi } from 'vitest'
import { native } from '../../lib/native.ts'
import { rangeError, shareError, typeError } from '../helpers/error-matchers.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { uniqueName } from '../helpers/segment-names.ts'

expectNoLeftovers()

describe('a pipe', () => {
  it('carries messages both ways', async () => {
    using pipe = new Pipe<unknown>()
    const [a, b] = pipe
    await a.send({ x: 1 })
    b.sendSync('y')
    expect(b.trySend('z')).toBe(true)
    expect([await b.recv(), a.recvSync(), a.tryRecv(), a.tryRecv()]).toEqual([{ x: 1 }, 'y', { value: 'z' }, undefined])
    expect([a.isReadable, a.isWritable]).toEqual([true, true])
  })

  it('carries messages one way', async () => {
    using pipe = new Pipe({ duplex: false })
    const [reader, writer] = pipe
    writer.sendSync(1)
    expect(reader.recvSync()).toBe(1)
    expect(() => reader.sendSync(1)).toThrow(shareError('ERR_ONE_WAY'))
    expect(() => writer.recvSync()).toThrow(shareError('ERR_ONE_WAY'))
    await expect(writer.recv()).rejects.toThrow(shareError('ERR_ONE_WAY'))
    await expect(reader.send(1)).rejects.toThrow(shareError('ERR_ONE_WAY'))
    expect([reader.isReadable, reader.isWritable, writer.isWritable]).toEqual([true, false, true])
  })

  it('refuses a message that can never fit, with advice that a pipe can follow', () => {
    using pipe = new Pipe({ byteLength: 64 })
    const [a] = pipe
    const large = /^An item of \d+ bytes is too large for Connection ".*", whose byteLength is 64 .* larger byteLength$/
    expect(() => a.sendSync('x'.repeat(100))).toThrow(shareError('ERR_TOO_LARGE', large))
  })

  it('polls without taking a message', async () => {
    using pipe = new Pipe()
    const [a, b] = pipe
    expect([await b.poll(), b.pollSync(), await b.poll({ timeoutMs: 10 }), b.pollSync({ timeoutMs: 10 })]).toEqual(
      Array(4).fill(false),
    )
    const polling = b.poll({ timeoutMs: 5_000 })
    a.sendSync(1)
    expect([await polling, await b.poll(), b.pollSync(), b.recvSync()]).toEqual([true, true, true, 1])
    await expect(b.poll({ timeoutMs: 1_000, signal: AbortSignal.timeout(5) })).rejects.toThrow('timeout')
  })

  it('ends for the reader when no process has the other end, after the messages in it', async () => {
    const [a, b] = new Pipe()
    using same = attach(b.handle) as Connection
    a.sendSync(1)
    a.sendSync(2)
    a.close()
    expect([await b.poll(), await b.recv(), b.recvSync()]).toEqual([true, 1, 2])
    expect(await b.poll()).toBe(true)
    await expect(b.recv()).rejects.toThrow(shareError('ERR_ENDED'))
    expect(() => same.recvSync()).toThrow(shareError('ERR_ENDED'))
    expect(() => same.tryRecv()).toThrow(shareError('ERR_ENDED'))
    for await (const _ of b) expect.unreachable()
    expect(() => b.sendSync(1)).toThrow(shareError('ERR_ENDED'))
    b.close()
  })

  it('ends waits when the last object of the other end is closed, and not before', async () => {
    const [a, b] = new Pipe<number>({ byteLength: 64 })
    const second = Connection.attach<number>(a.handle)
    const receiving = b.recv()
    a.close()
    second.sendSync(7)
    expect(await receiving).toBe(7)
    const waiting = b.recv()
    while (b.trySend(1));
    const sending = b.send(2)
    second.close()
    const ends = [waiting, sending].map((wait) => expect(wait).rejects.toThrow(shareError('ERR_ENDED')))
    await Promise.all(ends)
    b.close()
  })

  it('has ends that travel through queues', () => {
    using pipe = new Pipe()
    const [a, b] = pipe
    using queue = new Queue<Connection>()
    queue.putSync(b)
    using got = queue.getSync()
    a.sendSync('hello')
    expect(got.recvSync()).toBe('hello')
  })

  it('has the name that it was given', () => {
    const name = uniqueName('pipe')
    const [a, b] = Pipe.create(name)
    using third = Pipe.attach(name, 1)
    a.sendSync(1)
    expect([third.recvSync(), a.name]).toEqual([1, name])
    expect(() => Pipe.create(name)).toThrow(shareError('EEXIST'))
    expect(() => Queue.attach(name)).toThrow(shareError('ERR_KIND'))
    a.close()
    b.close()
    expect(() => a.trySend(1)).toThrow(shareError('ERR_CLOSED'))
    using queue = new Queue()
    expect(() => Pipe.attach(queue.name, 0)).toThrow(shareError('ERR_KIND'))
  })

  it('has exactly two ends, by name and by handle', async () => {
    const [a, b] = Pipe.create<number>(uniqueName('pipe'))
    for (const end of [2, -1, 0.5, 2 ** 32]) {
      expect(() => Pipe.attach(a.name, end as 0)).toThrow(rangeError(/^end must be an integer from 0 to 1/))
      const error = end >= 0 && Number.isInteger(end) ? rangeError(/^end/) : typeError(/handle/)
      expect(() => Connection.attach({ ...a.handle, cell: end })).toThrow(error)
    }
    for (const end of [undefined, null, '1', a.handle]) {
      expect(() => Pipe.attach(a.name, end as never)).toThrow(typeError(/^end must be an integer/))
    }
    const { cell: _end, ...handle } = b.handle
    expect(() => Connection.attach(handle)).toThrow(typeError(/^end must be an integer, got undefined/))
    // What was refused holds neither end.
    const end = expect(b.recv()).rejects.toThrow(shareError('ERR_ENDED'))
    a.close()
    await end
    const { name } = b
    b.close()
    expect(() => Pipe.attach(name, 0)).toThrow(shareError('ENOENT'))
  })

  it('has ends that several processes may hold, all as the same end', () => {
    using pipe = Pipe.create<number>(uniqueName('pipe'), { duplex: false })
    const [reader, writer] = pipe
    using alsoReads = Pipe.attach<number>(reader.name, 0)
    using alsoWrites = Pipe.attach<number>(reader.name, 1)
    alsoWrites.sendSync(1)
    writer.sendSync(2)
    expect([reader.recvSync(), alsoReads.recvSync()]).toEqual([1, 2])
    expect(() => alsoReads.sendSync(1)).toThrow(shareError('ERR_ONE_WAY'))
    expect(() => alsoWrites.recvSync()).toThrow(shareError('ERR_ONE_WAY'))
  })

  it.each<[string, (reader: Connection<string>) => unknown]>([
    ['recvSync', (reader) => reader.recvSync({ timeoutMs: 10_000 })],
    ['recv', (reader) => reader.recv({ timeoutMs: 10_000 })],
    ['tryRecv', (reader) => reader.tryRecv()?.value],
  ])(
    'gives what was sent when the reader had found nothing and before it finds the writer gone: %s',
    async (_way, recv) => {
      const [reader, writer] = new Pipe<string>({ duplex: false })
      const isAlone = native.queueIsEndClosed
      const look = vi.spyOn(native, 'queueIsEndClosed').mockImplementationOnce((...args) => {
        writer.sendSync('last')
        writer.close()
        return isAlone(...args)
      })
      try {
        expect(await recv(reader)).toBe('last')
      } finally {
        look.mockRestore()
      }
      expect(() => reader.tryRecv()).toThrow(shareError('ERR_ENDED'))
      reader.close()
    },
  )

  it('rejects pending waits of an object that is closed', async () => {
    using pipe = new Pipe()
    const waiting = pipe[0].recv()
    pipe[0].close()
    await expect(waiting).rejects.toThrow(shareError('ERR_CLOSED'))
  })
})

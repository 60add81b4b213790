/**
 * The worker that carries bytes between a blocking client and a socket, in both directions. It does not interpret them: the client itself
 * authenticates. Rings connect it to the client, or a port if there is no shared memory.
 */
import type { ConnectionOptions } from 'node:tls'
import { type MessagePort, workerData } from 'node:worker_threads'
import type { Handle } from '../../memory/handle.ts'
import { Connection as PipeEnd } from '../../queue/pipe.ts'
import type { ManagerAddress } from '../address.ts'
import { inPieces } from '../wire/ring-transport.ts'
import { dial } from './dial.ts'
import { END, portSender } from './port-link.ts'

/** The link to the client. */
export type ToClient = { readonly rings: Handle } | { readonly port: MessagePort; readonly arrivals: Int32Array }

const { link, at, tls } = workerData as {
  link: ToClient
  at: ManagerAddress
  tls: ConnectionOptions | undefined
}

if ('rings' in link) relayRings(PipeEnd.attach<Uint8Array>(link.rings))
else relayPort(link.port, link.arrivals)

function relayRings(rings: PipeEnd<Uint8Array>): void {
  const socket = dial(at, tls)
  socket.on('error', () => {}) // the close that follows ends the rings, which the client notices
  socket.once('close', () => rings.close())

  void toSocket()
  void toRings()

  async function toSocket(): Promise<void> {
    try {
      for await (const piece of rings) {
        if (!socket.write(piece)) await new Promise((resolve) => socket.once('drain', resolve).once('close', resolve))
      }
    } catch {
      // The rings were closed because the socket was closed.
    }
    socket.destroy()
  }

  async function toRings(): Promise<void> {
    try {
      for await (const chunk of socket) {
        const sent: Promise<void>[] = []
        inPieces(chunk as Buffer, (piece) => sent.push(rings.send(piece)))
        await Promise.all(sent)
      }
    } catch {
      // One side is gone; the end of the link informs the other side.
    }
    rings.close()
  }
}

function relayPort(port: MessagePort, arrivals: Int32Array): void {
  const send = portSender(port, arrivals)
  let socket: ReturnType<typeof dial>
  try {
    socket = dial(at, tls)
  } catch {
    send(END)
    return
  }
  socket.on('error', () => {})
  socket.once('close', () => {
    send(END)
    port.close()
  })
  socket.on('data', (chunk: Buffer) => send(new Uint8Array(chunk)))
  port.on('message', (piece: Uint8Array) => socket.write(piece))
  port.once('close', () => socket.destroy())
}

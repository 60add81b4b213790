/**
 * The worker that carries bytes between the rings of a blocking client and a socket, in both directions, knowing nothing of what they
 * mean: the client itself proves that it knows the key.
 */
import type { ConnectionOptions } from 'node:tls'
import { workerData } from 'node:worker_threads'
import type { Handle } from '../../memory/handle.ts'
import { Connection } from '../../queue/pipe.ts'
import type { ManagerAddress } from '../address.ts'
import { inPieces } from '../wire/ring-transport.ts'
import { dial } from './dial.ts'

const {
  rings: handle,
  at,
  tls,
} = workerData as {
  rings: Handle
  at: ManagerAddress
  tls: ConnectionOptions | undefined
}

const rings = Connection.attach<Uint8Array>(handle)
const socket = dial(at, tls)
socket.on('error', () => {}) // the close that follows ends the rings, which is what the client sees
socket.once('close', () => rings.close())

void toSocket()
void toRings()

async function toSocket(): Promise<void> {
  try {
    for await (const piece of rings) {
      if (!socket.write(piece)) await new Promise((resolve) => socket.once('drain', resolve).once('close', resolve))
    }
  } catch {
    // The rings were closed because the socket was.
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
    // Either side is gone; the other one is told by the end of what connects them.
  }
  rings.close()
}

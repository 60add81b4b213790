/** A stream of frames that goes on in shared memory, as the side that receives sees it. */

import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Connection, Pipe } from 'procshare'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { SwitchingTransport } from '../../lib/manager/wire/switching-transport.ts'
import { eventually } from '../helpers/eventually.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { uniqueName } from '../helpers/segment-names.ts'
import { turns } from '../helpers/turns.ts'

expectNoLeftovers()

const MAX_BYTES = 1024

let server: Server
let peer: Socket
let rings: Connection<Uint8Array>
let transport: SwitchingTransport
const received: string[] = []

beforeEach(async () => {
  received.length = 0
  server = createServer()
  const path = join(tmpdir(), uniqueName('switching'))
  server.listen(path)
  await once(server, 'listening')
  const accepted = once(server, 'connection')
  peer = connect(path)
  const [socket] = (await accepted) as [Socket]
  const [theirs, ours] = new Pipe<Uint8Array>()
  rings = theirs
  transport = new SwitchingTransport(socket)
  transport.prepare(ours as never)
})
afterEach(async () => {
  transport.destroy()
  rings.close()
  peer.destroy()
  await new Promise((resolve) => server.close(resolve))
  await turns()
})

function frame(text: string): Buffer {
  const bytes = Buffer.from(`....${text}`)
  bytes.writeUInt32LE(text.length)
  return bytes
}

/** Does what each frame says: pauses, or switches. */
function listen(): void {
  const onFrame = (bytes: Buffer) => {
    const text = bytes.toString()
    received.push(text)
    if (text.includes('pause')) transport.pause()
    if (text.includes('switch')) transport.switch()
  }
  transport.start({ onFrame, onClose: () => {} }, MAX_BYTES)
}

it('frames from the rings wait during a pause, also when a frame of the socket pauses it again', async () => {
  rings.sendSync(new Uint8Array(frame('pause, by the rings')))
  rings.sendSync(new Uint8Array(frame('last')))
  listen()
  peer.write(Buffer.concat([frame('pause'), frame('switch')]))
  await eventually(() => received.length > 0)
  await turns()
  expect(received).toEqual(['pause'])
  transport.resume()
  await eventually(() => received.length > 2)
  await turns()
  expect(received).toEqual(['pause', 'switch', 'pause, by the rings'])
  transport.resume()
  await eventually(() => received.length > 3)
  expect(received.at(-1)).toBe('last')
})

/**
 * The entry of a server process: serves until the one who has started it says so, or ends, or is killed. An interrupt at the keyboard,
 * which goes to all processes of a terminal, is for that one to deal with; SIGTERM ends the server in order.
 */
import '../../index.ts' // every kind of shared object can be among what is passed to users' types
import { native } from '../../native.ts'
import { toRemoteError } from '../../process/protocol.ts'
import type { FromServerProcess, ToServer } from './messages.ts'
import { ManagerServer } from './server.ts'

const GRACE_MS = 1000

let server: ManagerServer | undefined
let isEnding = false

process.on('SIGINT', () => {})
process.on('SIGTERM', () => void end())
process.on('disconnect', () => void end())
process.on('message', (message) => void onMessage(message as ToServer))
if (!process.connected || !native.endWithParent(process.ppid, GRACE_MS)) void end()

async function onMessage(message: ToServer): Promise<void> {
  switch (message.procshare) {
    case 'serve':
      try {
        server = await ManagerServer.listen(message.options)
        tell({ procshare: 'listening', address: server.address })
      } catch (error) {
        tell({ procshare: 'failed', error: toRemoteError(error) })
        process.exitCode = 1
        await end()
      }
      break
    case 'register': {
      const { request, name, module, options } = message
      try {
        await server?.register(name, module, options)
        tell({ procshare: 'registered', request })
      } catch (error) {
        tell({ procshare: 'registered', request, error: toRemoteError(error) })
      }
      break
    }
    case 'shutdown':
      await end()
      break
  }
}

async function end(): Promise<void> {
  if (isEnding) return
  isEnding = true
  await server?.close()
  // Whatever users' types have left, timers and sockets, does not keep the process.
  process.exit()
}

function tell(message: FromServerProcess): void {
  if (process.connected) process.send?.(message)
}

/**
 * The entry of a server process: it serves until the process that started it sends `shutdown`, ends, or is killed.
 *
 * Signals that go to all processes of a terminal or a service are left to that process. It may need the server in a handler, and the server
 * ends with it.
 */
import { encodeThrown } from '../../codec/thrown.ts'
import '../../index.ts' // arguments of users' types can contain every kind of shared object
import { native } from '../../native.ts'
import { parentPid, setImporting } from '../../process/current.ts'
import { isOurs } from '../../process/protocol.ts'
import type { FromServerProcess, ToServer } from './messages.ts'
import { ManagerServer } from './server.ts'

const GRACE_MS = 1000

let server: ManagerServer | undefined
let isEnding = false
let imports = 0

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
process.on('disconnect', () => void end())
process.on('message', (message) => {
  if (isOurs<ToServer>(message, 'serve', 'register', 'shutdown')) void onMessage(message)
})
if (!process.connected || !native.endWithParent(parentPid(), GRACE_MS)) void end()

async function onMessage(message: ToServer): Promise<void> {
  switch (message.procshare) {
    case 'serve':
      try {
        server = await whileImporting(() => ManagerServer.listen(message.options))
        tell({ procshare: 'listening', address: server.address })
      } catch (error) {
        tell({ procshare: 'failed', thrown: encodeThrown(error) })
        process.exitCode = 1
        await end()
      }
      break
    case 'register': {
      const { request, name, module, options } = message
      try {
        await whileImporting(() => server!.register(name, module, options))
        tell({ procshare: 'registered', request })
      } catch (error) {
        tell({ procshare: 'registered', request, thrown: encodeThrown(error) })
      }
      break
    }
    case 'shutdown':
      await end()
      break
  }
}

/** Calls `load`, which imports modules of users. At their top level, these modules may not start servers and processes here. */
async function whileImporting<T>(load: () => Promise<T>): Promise<T> {
  imports++
  setImporting(true)
  try {
    return await load()
  } finally {
    if (--imports === 0) setImporting(false)
  }
}

async function end(): Promise<void> {
  if (isEnding) return
  isEnding = true
  await server?.close()
  // Timers and sockets of users' types do not keep the process alive.
  process.exit()
}

function tell(message: FromServerProcess): void {
  if (process.connected) process.send?.(message)
}

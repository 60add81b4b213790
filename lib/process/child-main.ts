/**
 * The entry of a child process: it receives the function to run, runs it, reports its result, and ends.
 *
 * The child must not outlive its parent. When the channel closes, an idle event loop ends the process in order, with its
 * attachments. If the event loop is blocked, a native thread ends the process a second later.
 */
import { inspect } from 'node:util'
import { textOf } from '../codec/errors.ts'
import { encodeThrown } from '../codec/thrown.ts'
import '../index.ts' // every kind of shared object can be among the arguments
import { native } from '../native.ts'
import { decodeArguments } from './arguments.ts'
import { parentPid, setImporting } from './current.ts'
import { type ChildMessage, isOurs, type StartMessage } from './protocol.ts'

const GRACE_MS = 1000

process.on('disconnect', end)
if (!process.connected) end()
process.on('message', function onMessage(message) {
  if (!isOurs<StartMessage>(message, 'start')) return
  process.off('message', onMessage)
  void start(message)
})

async function start(message: StartMessage): Promise<void> {
  if (message.detached) process.off('disconnect', end)
  else if (!process.connected || !native.endWithParent(parentPid(), GRACE_MS)) end()
  try {
    await runFunction(message)
  } catch (error) {
    const thrown = encodeThrown(error)
    process.stderr.write(`Process ${message.name}:\n${shown(error)}\n`)
    await report({ procshare: 'failed', thrown })
    process.exitCode = 1
  }
  // Timers and sockets of the function do not keep the child alive: it ends when the function has settled.
  await Promise.all([flush(process.stdout), flush(process.stderr)])
  process.exit()
}

async function runFunction({ module, export: exportName, args, detached }: StartMessage): Promise<void> {
  process.on('uncaughtExceptionMonitor', (error) => {
    void report({ procshare: 'failed', thrown: encodeThrown(error) })
  })
  const values = decodeArguments(args)
  await report({ procshare: 'attached' })
  if (detached) process.disconnect()
  const exports: Record<string, unknown> = await import(module)
  setImporting(false)
  const fn = exports[exportName]
  if (typeof fn !== 'function') {
    const names = Object.keys(exports).join(', ') || 'nothing'
    throw new TypeError(`The module ${module} exports no function "${exportName}": it exports ${names}`)
  }
  await fn(...values)
}

function shown(thrown: unknown): string {
  try {
    return inspect(thrown)
  } catch {
    return textOf(thrown)
  }
}

/** The parent has ended, perhaps before it has sent the function to run. */
function end(): void {
  process.exit(1)
}

function report(message: ChildMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve()
    else process.send(message, undefined, undefined, () => resolve())
  })
}

function flush(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.writable) stream.write('', () => resolve())
    else resolve()
  })
}

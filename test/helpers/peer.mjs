/**
 * The child's half of fixture.ts: the connection of a fixture, run as a process or as a worker, to its test.
 *
 * A fixture answers calls and reports events; it never waits for time to pass.
 */
import { isMainThread, parentPort, workerData } from 'node:worker_threads'

/** What the test gave to spawnFixture or startWorker. */
export const args = isMainThread ? JSON.parse(process.env.FIXTURE_ARGS ?? '{}') : workerData.fixtureArgs

function post(message) {
  if (parentPort !== null) parentPort.postMessage(message)
  else if (process.connected) process.send(message)
}

/** Reports an event to the test. The report has left this process when the call returns. */
export function report(event, value) {
  post({ fixture: 'event', event, value })
}

/** Offers functions that the test can call, and reports that the fixture is ready. */
export function serve(commands = {}) {
  const onMessage = async ({ fixture, id, command, params }) => {
    if (fixture !== 'call') return
    try {
      post({ fixture: 'answer', id, value: await commands[command](...params) })
    } catch (error) {
      const { name, message, stack, code } = error
      post({ fixture: 'answer', id, error: { name, message, stack, code } })
    }
  }
  if (parentPort !== null) {
    parentPort.on('message', onMessage)
  } else {
    process.on('message', onMessage)
    // The test itself may be killed.
    process.on('disconnect', () => process.exit(9))
  }
  post({ fixture: 'ready' })
}

/** From now on the connection to the test does not keep this process, or worker, alive. */
export function letEnd() {
  if (parentPort !== null) parentPort.unref()
  else process.channel?.unref()
}

/** Milliseconds on a clock that is the same in all processes. */
export function now() {
  const hrtimeBeginsHere = 'Bun' in globalThis || 'Deno' in globalThis
  return hrtimeBeginsHere ? performance.timeOrigin + performance.now() : Number(process.hrtime.bigint()) / 1e6
}

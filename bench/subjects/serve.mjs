/** The other end of the driver's line protocol (baselines/line_protocol.h), for subjects in JavaScript. */
import { createInterface } from 'node:readline'

/**
 * Runs as many operations as are asked for, until the driver hangs up.
 *
 * @param run - runs that many operations; what it returns is awaited within the measured time
 * @param counter - the value of the counter, if there is one
 */
export async function serve(run, counter = () => 0) {
  console.log('ready')
  for await (const line of createInterface({ input: process.stdin })) {
    const operations = Number(line)
    const start = process.hrtime.bigint()
    const running = run(operations)
    if (running !== undefined) await running
    const end = process.hrtime.bigint()
    console.log(`${start} ${end} ${counter()}`)
  }
}

/** The subject's side of the line protocol (baselines/line_protocol.h), in JavaScript. */
import { createInterface } from 'node:readline'

/**
 * Runs the requested numbers of operations until the driver closes the connection.
 *
 * @param run - runs that many operations; its result is awaited within the measured time
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

// A record with C layout that one process updates and others read. Each reader has its own pace, and always gets a whole
// record.
//
//   node examples/struct-telemetry.mjs

import { setTimeout as sleep } from 'node:timers/promises'
import { isMainProcess, Process, Struct, Value } from 'procshare'

const Position = Struct({ x: 'd', y: 'd' })
const Telemetry = Struct({
  vehicle: ['c', 16], // text: a fixed number of bytes
  updates: 'q', //       64 bits: a bigint
  position: Position, // a struct in a struct
  speeds: ['f', 4], //   an array: a typed array over the memory
  engineOn: '?',
})

export function drive(telemetry, updates) {
  for (let i = 1; i <= updates; i++) {
    telemetry.update((record) => {
      const angle = (i / updates) * 2 * Math.PI
      record.position = { x: Math.cos(angle), y: Math.sin(angle) }
      record.speeds.fill(i % 100)
      record.updates++
      record.engineOn = i < updates
    })
  }
}

if (isMainProcess) {
  const telemetry = new Value(Telemetry, { vehicle: 'rover-7', engineOn: true })
  console.log(`${Telemetry.byteLength} bytes, fields at ${JSON.stringify(Telemetry.offsets)}`)

  const driver = new Process(import.meta.url, { export: 'drive', args: [telemetry, 100_000] }).start()
  let torn = 0
  for (let shown = 0; driver.isAlive; ) {
    const { vehicle, updates, position, speeds } = telemetry.snapshot() // under the lock, so never half a record
    if (updates > 0n && Math.abs(Math.hypot(position.x, position.y) - 1) > 1e-9) torn++
    if (new Set(speeds).size !== 1) torn++
    if (Date.now() - shown >= 200) {
      shown = Date.now()
      console.log(`${vehicle} after ${updates} updates at ${position.x.toFixed(3)}, ${position.y.toFixed(3)}`)
    }
    await sleep(1)
  }
  await driver.join()

  console.log(`${telemetry.value.updates} updates, ${torn} torn records seen`)
  process.exitCode = telemetry.value.updates === 100_000n && torn === 0 ? 0 : 1
}

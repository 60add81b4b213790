/** Attaches to a segment of another process, and closes it again: `attach.mjs FORM NAME`. */
import { SharedArray, SharedMemory, Value } from 'procshare'
import { serve } from './serve.mjs'

const [form, name] = process.argv.slice(2)

/** Real programs attach from an event loop, in whose turns the garbage is collected. */
const PER_TURN = 64

const forms = {
  memory: () => SharedMemory.attach(name).close(),
  memoryRead() {
    const memory = SharedMemory.attach(name)
    if (new Int32Array(memory.buffer)[0] !== 0) throw new Error('The segment has changed')
    memory.close()
  },
  value: () => Value.attach(name).close(),
  array: () => SharedArray.attach(name).close(),
}
const attachAndClose = forms[form]

await serve(async (operations) => {
  for (let i = 0; i < operations; i++) {
    attachAndClose()
    if (i % PER_TURN === PER_TURN - 1) await new Promise(setImmediate)
  }
})

/** Uses a shared array of doubles to which other processes are attached: `array-use.mjs lock|update|elements NAME`. */
import { SharedArray } from 'procshare'
import { serve } from './serve.mjs'

const [form, name] = process.argv.slice(2)
const array = SharedArray.attach(name, 'd')

const forms = {
  lock(operations) {
    const { lock } = array
    const nothing = () => {}
    for (let i = 0; i < operations; i++) lock.runSync(nothing)
  },
  /** Reads and writes the same few elements at the far end, because cold caches do not depend on the segment. */
  elements(operations) {
    const first = array.length - 16
    for (let i = 0; i < operations; i++) array[first + (i & 15)] += 1
  },
}
const run = forms[form]

await serve((operations) => run(operations))
